import { generateKeyPairSync, sign } from "node:crypto";

/**
 * Creates a self-signed certificate for one address. It is valid from 2000 to 2049, because some tests change the date.
 *
 * @returns the private key and the certificate in PEM
 */
export function selfSigned(san: { ip: [number, number, number, number] } | { host: string }): {
  key: string;
  cert: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = der(0x30, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const name = der(0x30, der(0x31, der(0x30, oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from("made by a test")))));
  // OpenSSL compares these times with the clock of the machine and ignores a faked `Date`. UTCTime ends in 2049.
  const validity = der(0x30, time("000101000000Z"), time("491231235959Z"));
  const alternative = "ip" in san ? der(0x87, Buffer.from(san.ip)) : der(0x82, Buffer.from(san.host));
  const extension = der(0x30, oid(0x55, 0x1d, 0x11), der(0x04, der(0x30, alternative)));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, extension)),
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  const text = der(0x30, body, ecdsaWithSha256, signature).toString("base64").replace(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`,
  };
}

/** Encodes an object identifier in ASN.1 DER. */
const oid = (...bytes: number[]): Buffer => der(0x06, Buffer.from(bytes));

/** Encodes a time such as `491231235959Z` in ASN.1 DER. */
const time = (utcTime: string): Buffer => der(0x17, Buffer.from(utcTime));

/** Encodes a value in ASN.1 DER: the tag, the length, and the concatenated parts. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

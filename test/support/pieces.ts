/**
 * Returns every piece of 16 characters of a secret that can be read from a text: directly, after joining lines and removing
 * escapes, or after decoding everything that looks like base64 or hex.
 */
export function piecesLeft(text: string, secret: string): string[] {
  const joined = text.replace(/&(?:amp;)*#13;&(?:amp;)*#10;|%0A|<br>|\\+[nrt]|=?[\r\n]+|\s/g, "");
  const unescaped = joined
    .replaceAll("\\u0026", "&")
    .replace(/%(?:25)*([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\+u00([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/&(?:amp;)*#(x?)([\da-f]+);/gi, (_, x, digits) =>
      String.fromCharCode(Number.parseInt(digits, x ? 16 : 10)),
    )
    .replaceAll("\\", "");
  const texts = [text, joined, unescaped];
  for (const [run] of unescaped.matchAll(/[\w+/-]{20,}/g)) {
    for (let offset = 0; offset < 4; offset += 1)
      texts.push(Buffer.from(run.slice(offset), "base64").toString("latin1"));
  }
  for (const [run] of unescaped.matchAll(/[\da-f]{32,}/gi)) {
    for (let offset = 0; offset < 2; offset += 1) texts.push(Buffer.from(run.slice(offset), "hex").toString("latin1"));
  }
  const left: string[] = [];
  for (let at = 0; at + 16 <= secret.length; at += 1) {
    const piece = secret.slice(at, at + 16);
    if (texts.some((readable) => readable.includes(piece))) left.push(piece);
  }
  return left;
}

import { SnapshotError } from "../../core/errors.ts";

/** The name of a cloud service in upper case, such as `EVS`. The variable `EVS_ENDPOINT` contains the address of EVS. */
export type Service = Uppercase<string>;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Returns whether an origin, such as `http://127.0.0.1:8080`, is on this machine. */
export const isLoopback = (origin: string): boolean => LOOPBACK.test(new URL(origin).hostname);

/**
 * Returns the origin of a service. The default is `https://{service}.{REGION}.myhuaweicloud.com`. Not every region follows this
 * pattern (SOURCES.md#service-endpoints), so the variable `{SERVICE}_ENDPOINT` overrides the default.
 *
 * An endpoint must not contain a path, a query or a user. `http://` is allowed only on loopback addresses. LTS has no default,
 * because log reports and API requests have different addresses (SOURCES.md#lts-address).
 *
 * @param variable returns the value of an environment variable
 * @throws SnapshotError Misconfigured with the name of the wrong or missing variable
 */
export function endpointOf(
  service: Service,
  variable: (name: `${Service}_ENDPOINT` | "REGION") => string | undefined,
): string {
  const name = `${service}_ENDPOINT` as const;
  const address = variable(name);
  if (address !== undefined) return originOf(name, address);
  if (service === "LTS") {
    throw new SnapshotError(
      "Misconfigured",
      `${name}: expected the address that receives log reports, such as https://100.125.11.157:8102 (the access IP address in the ICAgent's install command), got no value.`,
    );
  }
  const region = variable("REGION");
  if (region === undefined) {
    const host = `https://${service.toLowerCase()}.eu-west-101.myhuaweicloud.com`;
    throw new SnapshotError(
      "Misconfigured",
      `Neither ${name} nor REGION is set. Set ${name} to an address such as ${host}, or REGION to a name such as eu-west-101.`,
    );
  }
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(region)) {
    throw new SnapshotError(
      "Misconfigured",
      `REGION: expected a region's name such as eu-west-101, got ${JSON.stringify(region)}.`,
    );
  }
  return `https://${service.toLowerCase()}.${region}.myhuaweicloud.com`;
}

function originOf(name: string, address: string): string {
  let url: URL | undefined;
  try {
    url = new URL(address);
  } catch {
    // If the address is not a URL, `url` stays undefined and the function throws the error below.
  }
  const isAllowed =
    url !== undefined &&
    (url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname))) &&
    url.pathname === "/" &&
    url.search + url.hash + url.username + url.password === "";
  if (url === undefined || !isAllowed) {
    // The error message must not repeat a password in the address. The password can contain any character.
    const redacted = address.replace(/^([a-z]+:\/*)?.*@/is, "$1***@");
    throw new SnapshotError(
      "Misconfigured",
      `${name}: expected an address such as https://evs.eu-west-101.myhuaweicloud.com (https, or http on loopback; no path), got ${JSON.stringify(redacted)}.`,
    );
  }
  return url.origin;
}

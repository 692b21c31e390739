import { SnapshotError } from "../../core/errors.ts";

export type Service = "EVS" | "DWS" | "ECS" | "LTS" | "FUNCTIONGRAPH";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Tells whether an origin is on this machine. */
export const isLoopback = (origin: string): boolean => LOOPBACK.test(new URL(origin).hostname);

/**
 * Origin of a service: `{SERVICE}_ENDPOINT`, else `https://{service}.{REGION}.myhuaweicloud.com` (cloud-apis.md 5.3; not
 * uniform in all regions, so every one can be set). `http://` on loopback alone; no path, query or user in it. LTS has no
 * default: the address that takes logs is another one than that of its API (cloud-apis.md 6.1).
 *
 * Throws Misconfigured, with the variable's name.
 */
export function endpointOf(service: Service, variable: (name: string) => string | undefined): string {
  const name = `${service}_ENDPOINT`;
  const given = variable(name);
  if (given !== undefined) return originOf(name, given);
  if (service === "LTS") {
    throw new SnapshotError(
      "Misconfigured",
      `Expected ${name} to be set; it is not. Set it to the address that takes logs, such as https://100.125.11.157:8102 (the access IP address of the ICAgent's install command).`,
    );
  }
  const region = variable("REGION");
  if (region === undefined) {
    const host = `https://${service.toLowerCase()}.eu-west-101.myhuaweicloud.com`;
    throw new SnapshotError(
      "Misconfigured",
      `Expected ${name} or REGION to be set; neither is. Set ${name} to an address such as ${host}, or REGION to a name such as eu-west-101.`,
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

function originOf(name: string, given: string): string {
  let url: URL | undefined;
  try {
    url = new URL(given);
  } catch {
    // Said below, with what came.
  }
  const allowed =
    url !== undefined &&
    (url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname))) &&
    url.pathname === "/" &&
    url.search + url.hash + url.username + url.password === "";
  if (url === undefined || !allowed) {
    // A password in the address is not repeated, whatever characters it has.
    const shown = given.replace(/^([a-z]+:\/*)?.*@/is, "$1***@");
    throw new SnapshotError(
      "Misconfigured",
      `${name}: expected an address such as https://evs.eu-west-101.myhuaweicloud.com (https, or http on loopback; no path), got ${JSON.stringify(shown)}.`,
    );
  }
  return url.origin;
}

import type { Credentials } from "./call.ts";

/** Reports a wrong option or credential. The client then sends no request. */
export class BadInput extends Error {}

export type Environment = Record<string, string | undefined>;

/**
 * Returns the values of all credential variables that are set, even if the credentials are incomplete. The client must not
 * print any of these values.
 */
export const secretsIn = (environment: Environment): string[] =>
  ["SNAPSHOT_GATE_APP_CODE", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"]
    .map((name) => environment[name] ?? "")
    .filter((value) => value !== "");

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads the address of a function at the gateway.
 *
 * @throws {BadInput} if the address does not begin with `https` (loopback addresses may begin with `http`), or has credentials, a
 *   query string or a fragment
 */
export function readUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // If `text` is no valid address, `url` remains undefined, and the next condition rejects it.
  }
  // The request contains the app code in plain text, so the connection must be encrypted.
  const allowed = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
  if (
    url === undefined ||
    !allowed ||
    url.username !== "" ||
    url.password !== "" ||
    `${url.search}${url.hash}` !== ""
  ) {
    throw new BadInput(
      "--url: expected an https address without a user name, a password, a query string or a fragment, such as https://gate.example.com/<function>.",
    );
  }
  return url;
}

/**
 * Reads the credentials from the environment: an app code, or an access key that signs the requests.
 *
 * @throws {BadInput} when the credentials are missing, or contain a character that no HTTP header can contain
 */
export function readCredentials(environment: Environment): Credentials {
  const {
    SNAPSHOT_GATE_APP_CODE: appCode,
    HUAWEICLOUD_SDK_AK: accessKey,
    HUAWEICLOUD_SDK_SK: secretKey,
    HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken,
  } = environment;
  let credentials: Credentials;
  if (appCode) credentials = { appCode };
  else if (accessKey && secretKey) credentials = { accessKey, secretKey, ...(securityToken ? { securityToken } : {}) };
  else {
    throw new BadInput(
      "Expected SNAPSHOT_GATE_APP_CODE, or both HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, in the environment, but neither is set.",
    );
  }
  // Pasted secrets often end with a line break, which no HTTP header can contain.
  if (!Object.values(credentials).every((value) => /^[\x21-\x7e]+$/.test(value))) {
    throw new BadInput(
      "Expected credentials of printable ASCII characters without spaces, but a credential contains another character, such as a line break at its end.",
    );
  }
  return credentials;
}

import { BasicCredentials } from "@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials";
import type { ICredential } from "@huaweicloud/huaweicloud-sdk-core/auth/ICredential";
import { SnapshotError } from "../snapshots/reasons.ts";

/** What requests are authenticated with: a temporary access key (signed), or a token. Read anew at each invocation. */
export type Credentials = { accessKey: string; secretKey: string; securityToken?: string } | { token: string };

/** What FunctionGraph's context says of the function's agency; empty texts where it has none (functiongraph.md 1.3). */
export interface Agency {
  securityAccessKey: string;
  securitySecretKey: string;
  securityToken: string;
  token: string;
}

/** What can stand in a header: a key that was pasted with its line break cannot. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * The agency's temporary key, else its token, else a key from the environment (outside FunctionGraph only).
 * Never kept beyond the invocation: a warm instance outlives them.
 *
 * Throws Misconfigured where there are none, or none that can be sent.
 */
export function readCredentials(agency: Agency, environment: Record<string, string | undefined>): Credentials {
  const credentials = givenCredentials(agency, environment);
  if (credentials === undefined) {
    throw new SnapshotError(
      "Misconfigured",
      "Expected credentials from the function's agency; there are none. Give the function an agency (app_agency in Terraform), or, outside FunctionGraph, set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK.",
    );
  }
  if (!secretsOf(credentials).every((value) => PRINTABLE.test(value))) {
    throw new SnapshotError(
      "Misconfigured",
      "Expected credentials of printable characters without spaces; one of them has others, such as a line break at its end. They come from the function's agency, or, outside FunctionGraph, from HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and HUAWEICLOUD_SDK_SECURITY_TOKEN.",
    );
  }
  return credentials;
}

function givenCredentials(
  { securityAccessKey, securitySecretKey, securityToken, token }: Agency,
  environment: Record<string, string | undefined>,
): Credentials | undefined {
  if (securityAccessKey && securitySecretKey) {
    return { accessKey: securityAccessKey, secretKey: securitySecretKey, securityToken: securityToken || undefined };
  }
  if (token) return { token };
  const accessKey = environment.HUAWEICLOUD_SDK_AK;
  const secretKey = environment.HUAWEICLOUD_SDK_SK;
  if (!accessKey || !secretKey) return undefined;
  return { accessKey, secretKey, securityToken: environment.HUAWEICLOUD_SDK_SECURITY_TOKEN || undefined };
}

/** Every value that must never be seen in an output. */
export const secretsOf = (credentials: Credentials): string[] =>
  "token" in credentials
    ? [credentials.token]
    : [credentials.accessKey, credentials.secretKey, credentials.securityToken ?? ""].filter((value) => value !== "");

/**
 * A credential for the SDK, for one project. The project id is always given: without one the SDK asks IAM for it, and
 * may even create a project (cloud-apis.md 5.3). A new object for each invocation, because a project id sticks to it.
 */
export function sdkCredential(credentials: Credentials, projectId: string): ICredential {
  if ("token" in credentials) return tokenCredential(credentials.token, projectId);
  const { accessKey, secretKey, securityToken } = credentials;
  const credential = new BasicCredentials().withAk(accessKey).withSk(secretKey).withProjectId(projectId);
  if (securityToken !== undefined) credential.withSecurityToken(securityToken);
  return credential;
}

/** `X-Auth-Token`, as the seeds have it; the SDK has no credential for it. */
function tokenCredential(token: string, projectId: string): ICredential {
  return {
    getAk: () => undefined,
    getSk: () => undefined,
    processAuthParams: async () => tokenCredential(token, projectId),
    async processAuthRequest(_client, request) {
      request.url = String(request.url).replace("{project_id}", () => encodeURIComponent(projectId));
      request.headers = { ...request.headers, "X-Auth-Token": token, "X-Project-Id": projectId };
      return request;
    },
  };
}

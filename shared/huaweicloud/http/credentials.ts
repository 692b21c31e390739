import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { ICredential } from "@huaweicloud/huaweicloud-sdk-core/auth/ICredential";
import { SnapshotError } from "../../core/errors.ts";

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
 * A credential for the SDK, for one project: a key signs with the SDK's own signer, a token goes along as `X-Auth-Token`, as
 * the seeds have it. Not the SDK's BasicCredentials, whose signature a test holds this against: that one also reads
 * credentials from the environment and from files, asks IAM for a project id where none is given, may even create a
 * project (cloud-apis.md 5.3, 5.4.20), and is 6 KB of every function.
 */
export function sdkCredential(credentials: Credentials, projectId: string): ICredential {
  const credential: ICredential = {
    getAk: () => ("token" in credentials ? undefined : credentials.accessKey),
    getSk: () => ("token" in credentials ? undefined : credentials.secretKey),
    processAuthParams: async () => credential,
    async processAuthRequest(_client, request) {
      request.url = String(request.url).replace("{project_id}", () => encodeURIComponent(projectId));
      request.headers = { "X-Project-Id": projectId, ...request.headers };
      if ("token" in credentials) {
        request.headers["X-Auth-Token"] = credentials.token;
        return request;
      }
      if (credentials.securityToken) request.headers["X-Security-Token"] = credentials.securityToken;
      // The signer takes the path from the endpoint.
      request.endpoint = `${request.endpoint}${request.url}`;
      request.headers = AKSKSigner.sign(request, credential);
      return request;
    },
  };
  return credential;
}

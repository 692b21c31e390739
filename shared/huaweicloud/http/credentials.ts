import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { ICredential } from "@huaweicloud/huaweicloud-sdk-core/auth/ICredential";
import { SnapshotError } from "../../core/errors.ts";

/** What authenticates requests: an access key, which signs them, or a token. */
export type Credentials = { accessKey: string; secretKey: string; securityToken?: string } | { token: string };

/** The credentials in FunctionGraph's context. They are empty without an agency: SOURCES.md#functiongraph-credentials. */
export interface Agency {
  securityAccessKey: string;
  securitySecretKey: string;
  securityToken: string;
  token: string;
}

/** The characters that a header can contain. A key that was pasted with its line break does not match. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * Reads the credentials of one invocation: the agency's temporary key, else the agency's token, else a key from the
 * environment. Only processes outside FunctionGraph have a key in the environment. The caller must not keep the credentials
 * for a later invocation, because they expire.
 *
 * @throws SnapshotError Misconfigured if there are no credentials, or if a header cannot contain them
 */
export function readCredentials(agency: Agency, environment: Record<string, string | undefined>): Credentials {
  const credentials = findCredentials(agency, environment);
  if (credentials === undefined) {
    throw new SnapshotError(
      "Misconfigured",
      "Expected credentials from the function's agency; there are none. Give the function an agency (app_agency in Terraform), or, outside FunctionGraph, set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK.",
    );
  }
  if (!secretsOf(credentials).every((value) => PRINTABLE.test(value))) {
    throw new SnapshotError(
      "Misconfigured",
      "Expected credentials of printable characters without spaces; one value has another character, such as a line break at its end. Correct the function's agency or, outside FunctionGraph, HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and HUAWEICLOUD_SDK_SECURITY_TOKEN.",
    );
  }
  return credentials;
}

function findCredentials(
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

/** Returns every value of the credentials that must not appear in any output. */
export const secretsOf = (credentials: Credentials): string[] =>
  "token" in credentials
    ? [credentials.token]
    : [credentials.accessKey, credentials.secretKey, credentials.securityToken ?? ""].filter((value) => value !== "");

/**
 * Returns a credential for the SDK. The SDK's own signer signs with a key; a token is sent as `X-Auth-Token`
 * (SOURCES.md#gateway-token-header).
 *
 * The SDK's BasicCredentials are not used: they also read credentials from the environment and from files
 * (SOURCES.md#sdk-environment-credentials), look up or even create a project at IAM (SOURCES.md#sdk-project-lookup), and add
 * 6 KB to every bundle. A test compares the signatures of both.
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
      // The signer reads the path from the endpoint.
      request.endpoint = `${request.endpoint}${request.url}`;
      request.headers = AKSKSigner.sign(request, credential);
      return request;
    },
  };
  return credential;
}

import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { ICredential } from "@huaweicloud/huaweicloud-sdk-core/auth/ICredential";
import { SnapshotError } from "../../core/errors.ts";

/** The credentials that authenticate API requests: either an access key that the SDK signs requests with, or a token. */
export type Credentials = { accessKey: string; secretKey: string; securityToken?: string } | { token: string };

/**
 * The credentials in the context object of FunctionGraph. They are empty if the function has no agency
 * (SOURCES.md#functiongraph-credentials).
 */
export interface Agency {
  securityAccessKey: string;
  securitySecretKey: string;
  securityToken: string;
  token: string;
}

/** Matches strings that an HTTP header can contain. A key that was pasted with a line break does not match. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * Returns the credentials for one invocation. The function uses the first of these credentials that exists:
 *
 * - the temporary access key of the function's agency
 * - the token of the function's agency
 * - the access key in the environment variables, which are set only outside FunctionGraph
 *
 * Callers must not keep the credentials for a later invocation, because temporary credentials expire.
 *
 * @throws SnapshotError Misconfigured if there are no credentials, or if a value cannot be sent in an HTTP header
 */
export function readCredentials(agency: Agency, environment: Record<string, string | undefined>): Credentials {
  const credentials = findCredentials(agency, environment);
  if (credentials === undefined) {
    throw new SnapshotError(
      "Misconfigured",
      "Expected credentials from the function's agency, got none. Give the function an agency (app_agency in Terraform), or, outside FunctionGraph, set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK.",
    );
  }
  if (!secretsOf(credentials).every((value) => PRINTABLE.test(value))) {
    throw new SnapshotError(
      "Misconfigured",
      "Expected credentials of printable ASCII characters, got another character, such as a line break. Correct the function's agency or, outside FunctionGraph, HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and HUAWEICLOUD_SDK_SECURITY_TOKEN.",
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

/** Returns all values of the credentials that must not appear in logs, records or responses. */
export const secretsOf = (credentials: Credentials): string[] =>
  "token" in credentials
    ? [credentials.token]
    : [credentials.accessKey, credentials.secretKey, credentials.securityToken ?? ""].filter((value) => value !== "");

/**
 * Creates a credential object for the SDK. With an access key, the SDK's own signer signs each request. A token is sent in the
 * header `X-Auth-Token` (SOURCES.md#gateway-token-header).
 *
 * The SDK's class BasicCredentials is not used for three reasons: it also reads credentials from environment variables and files
 * (SOURCES.md#sdk-environment-credentials), it requests or even creates a project at IAM (SOURCES.md#sdk-project-lookup), and it
 * adds 6 KB to every bundle. A test checks that this object and BasicCredentials create the same signatures.
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
      // The SDK's signer reads the path from `endpoint`.
      request.endpoint = `${request.endpoint}${request.url}`;
      request.headers = AKSKSigner.sign(request, credential);
      return request;
    },
  };
  return credential;
}

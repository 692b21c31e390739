import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { ICredential } from "@huaweicloud/huaweicloud-sdk-core/auth/ICredential";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import type { HttpResponse, Transport } from "../../shared/huaweicloud/http/transport.ts";

/** The credentials for a call: the app code of an API gateway application, or an access key that signs the request. */
export type Credentials = { appCode: string } | { accessKey: string; secretKey: string; securityToken?: string };

/**
 * How long `postJson` waits after `timeoutMs`, in milliseconds. The timeout of the transport must come first, because its error
 * message has more details.
 */
const GRACE_MS = 1_000;

/**
 * Posts JSON to an API of the gateway, without retries. Settles at most one second after the timeout, even if the transport
 * never settles. Without this limit Node.js could exit without a message, because a pending promise does not keep the process
 * running.
 *
 * @throws {Error} when no complete response arrives in time
 */
export async function postJson(
  transport: Transport,
  url: URL,
  credentials: Credentials,
  data: object,
  timeoutMs: number,
): Promise<HttpResponse> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no complete response within ${timeoutMs + GRACE_MS} ms`));
    }, timeoutMs + GRACE_MS);
  });
  try {
    const headers = {
      ...createHeaders(url, credentials, data),
      accept: "application/json",
      "user-agent": "snapshot-gate",
    };
    const body = JSON.stringify(data);
    return await Promise.race([transport({ method: "POST", url, headers, body, timeoutMs }), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function createHeaders(url: URL, credentials: Credentials, data: object): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if ("appCode" in credentials) return { ...headers, "X-Apig-AppCode": credentials.appCode };
  const { accessKey, secretKey, securityToken } = credentials;
  if (securityToken !== undefined) headers["X-Security-Token"] = securityToken;
  // The signer reads the host and the path from `endpoint`, and hashes `JSON.stringify(data)`. The body must be the same string.
  const request: IHttpRequest = { method: "POST", endpoint: url.href, headers, queryParams: {}, data };
  // The signer calls only `getAk` and `getSk`.
  const credential: ICredential = {
    getAk: () => accessKey,
    getSk: () => secretKey,
    processAuthParams: async () => credential,
    processAuthRequest: async () => request,
  };
  return AKSKSigner.sign(request, credential);
}

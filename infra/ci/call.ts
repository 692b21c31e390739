import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { ICredential } from "@huaweicloud/huaweicloud-sdk-core/auth/ICredential";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import type { HttpResponse, Transport } from "../../shared/huaweicloud/http/transport.ts";

/**
 * The credentials for a request to the API gateway: the app code of a gateway application, or an access key that signs the
 * request.
 */
export type Credentials = { appCode: string } | { accessKey: string; secretKey: string; securityToken?: string };

/**
 * The time in milliseconds between the timeout of the transport and the timeout of `postJson` itself. The timeout of the transport
 * must expire first, because its error message contains more details.
 */
const GRACE_MS = 1_000;

/**
 * Posts JSON to an API of the gateway, without retries. If the transport neither returns nor fails, the function throws an
 * error one second after the timeout. Without this error, Node.js could exit without a message, because a pending promise does
 * not keep the process running.
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
  // The signer reads the host and the path from `endpoint`, and signs the hash of `JSON.stringify(data)`. `postJson` must send
  // exactly this string as the request body.
  const request: IHttpRequest = { method: "POST", endpoint: url.href, headers, queryParams: {}, data };
  // The interface requires four methods, but the signer calls only `getAk` and `getSk`.
  const credential: ICredential = {
    getAk: () => accessKey,
    getSk: () => secretKey,
    processAuthParams: async () => credential,
    processAuthRequest: async () => request,
  };
  return AKSKSigner.sign(request, credential);
}

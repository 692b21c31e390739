import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { ICredential } from "@huaweicloud/huaweicloud-sdk-core/auth/ICredential";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import type { HttpRequest, HttpResponse, Transport } from "../../shared/huaweicloud/http/transport.ts";

/**
 * The credentials for a request to the API gateway: the app code of a gateway application, or an access key that signs the
 * request.
 */
export type Credentials = { appCode: string } | { accessKey: string; secretKey: string; securityToken?: string };

/**
 * The time in milliseconds between the timeout of the transport and the timeout of `send` itself. The timeout of the transport
 * must expire first, because its error message contains more details.
 */
const GRACE_MS = 1_000;

/**
 * Posts JSON to an API of the gateway, without retries.
 *
 * @throws {Error} when no complete response arrives in time
 */
export const postJson = (
  transport: Transport,
  url: URL,
  credentials: Credentials,
  data: object,
  timeoutMs: number,
): Promise<HttpResponse> => {
  const headers = {
    ...createHeaders("POST", url, credentials, {}, data),
    accept: "application/json",
    "user-agent": "snapshot-gate",
  };
  return send(transport, { method: "POST", url, headers, body: JSON.stringify(data), timeoutMs });
};

/**
 * Sends a GET request to an API of the gateway, without retries.
 *
 * @param query the query parameters. `url` must not contain others
 * @throws {Error} when no complete response arrives in time
 */
export const getText = (
  transport: Transport,
  url: URL,
  credentials: Credentials,
  query: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<HttpResponse> => {
  const address = new URL(url);
  // `URLSearchParams` would write a space as `+`, and a signature does not cover a `+` in the same way.
  address.search = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  const headers = {
    ...createHeaders("GET", url, credentials, query),
    "user-agent": "snapshot-report",
  };
  return send(transport, { method: "GET", url: address, headers, timeoutMs });
};

/**
 * Sends a request. If the transport neither returns nor fails, the function throws an error one second after the timeout.
 * Without this error, Node.js could exit without a message, because a pending promise does not keep the process running.
 */
async function send(transport: Transport, request: HttpRequest): Promise<HttpResponse> {
  const { timeoutMs } = request;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no complete response within ${timeoutMs + GRACE_MS} ms`));
    }, timeoutMs + GRACE_MS);
  });
  try {
    return await Promise.race([transport(request), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function createHeaders(
  method: "GET" | "POST",
  url: URL,
  credentials: Credentials,
  queryParams: Readonly<Record<string, string>>,
  data?: object,
): Record<string, string> {
  const headers: Record<string, string> = data === undefined ? {} : { "content-type": "application/json" };
  if ("appCode" in credentials) return { ...headers, "X-Apig-AppCode": credentials.appCode };
  const { accessKey, secretKey, securityToken } = credentials;
  if (securityToken !== undefined) headers["X-Security-Token"] = securityToken;
  // The signer reads the host and the path from `endpoint`, and signs the hash of `JSON.stringify(data)`. `postJson` must send
  // exactly this string as the request body.
  const request: IHttpRequest = { method, endpoint: url.href, headers, queryParams, data };
  // The interface requires four methods, but the signer calls only `getAk` and `getSk`.
  const credential: ICredential = {
    getAk: () => accessKey,
    getSk: () => secretKey,
    processAuthParams: async () => credential,
    processAuthRequest: async () => request,
  };
  return AKSKSigner.sign(request, credential);
}

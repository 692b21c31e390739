import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import type { HttpResponse, Transport } from "../../shared/huaweicloud/http/transport.ts";

/** The code of an application of the gateway, or an access key that signs the request. */
export type Credentials = { appCode: string } | { accessKey: string; secretKey: string; securityToken?: string };

/** Lets the transport's own timeout fire first, because its message has more details. */
const GRACE_MS = 1_000;

/**
 * Posts JSON to an API of the gateway, once. Settles at most one second after the timeout, even if the transport's promise
 * never settles: if nothing else is pending, Node.js would end the process without a message.
 *
 * @throws {Error} when no complete response arrives in time
 */
export async function post(
  transport: Transport,
  url: URL,
  credentials: Credentials,
  data: object,
  timeoutMs: number,
): Promise<HttpResponse> {
  let timer: NodeJS.Timeout | undefined;
  const lastResort = new Promise<never>((_resolve, reject) => {
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
    const call = transport({ method: "POST", url, headers, body, timeoutMs });
    return await Promise.race([call, lastResort]);
  } finally {
    clearTimeout(timer);
  }
}

function createHeaders(url: URL, credentials: Credentials, data: object): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if ("appCode" in credentials) return { ...headers, "X-Apig-AppCode": credentials.appCode };
  const { accessKey, secretKey, securityToken } = credentials;
  if (securityToken !== undefined) headers["X-Security-Token"] = securityToken;
  // The signer reads host and path from `endpoint`, and hashes JSON.stringify(data), which is the body that is sent.
  const request = { method: "POST", endpoint: url.href, headers, queryParams: {}, data } as unknown as IHttpRequest;
  return AKSKSigner.sign(request, {
    getAk: () => accessKey,
    getSk: () => secretKey,
  } as Parameters<typeof AKSKSigner.sign>[1]) as Record<string, string>;
}

import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import type { Transport, WireAnswer } from "../../shared/huaweicloud/transport.ts";

/** An application's code, or an access key, which signs. */
export type Credentials = { appCode: string } | { accessKey: string; secretKey: string; securityToken?: string };

/** Posts JSON to an API of the gateway, once. */
export function post(
  transport: Transport,
  url: URL,
  credentials: Credentials,
  data: object,
  timeoutMs: number,
): Promise<WireAnswer> {
  return transport({
    method: "POST",
    url,
    headers: { ...headersOf(url, credentials, data), accept: "application/json", "user-agent": "snapshot-gate" },
    body: JSON.stringify(data),
    timeoutMs,
  });
}

function headersOf(url: URL, credentials: Credentials, data: object): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if ("appCode" in credentials) return { ...headers, "X-Apig-AppCode": credentials.appCode };
  const { accessKey, secretKey, securityToken } = credentials;
  if (securityToken !== undefined) headers["X-Security-Token"] = securityToken;
  // The signer takes host and path from the endpoint, and hashes JSON.stringify(data): the text that goes out.
  const request = { method: "POST", endpoint: url.href, headers, queryParams: {}, data } as unknown as IHttpRequest;
  return AKSKSigner.sign(request, {
    getAk: () => accessKey,
    getSk: () => secretKey,
  } as Parameters<typeof AKSKSigner.sign>[1]) as Record<string, string>;
}

/** Sends requests to the embedded cloud. The signing code follows the public signature rules and is independent of the SDK. */
import { createHash, createHmac } from "node:crypto";
import { type ClientRequest, request } from "node:http";
import { onTestFinished } from "vitest";
import type { Credentials, EmbeddedCloud } from "../../infra/local/cloud/index.ts";

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read responses of every shape
  json: any;
}

export interface Signing {
  credentials?: Credentials;
  /** The date of the signature. Default: now. */
  date?: Date;
  /** Additional signed headers. */
  headers?: Record<string, string>;
  /** Additional headers that are not signed. */
  unsigned?: Record<string, string>;
  /** Headers to omit from SignedHeaders. */
  omit?: string[];
  /** Returns changes to make to the request after it was signed. */
  tamper?: (request: Signed) => Partial<Signed>;
}

export interface Signed {
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

export type Caller = (method: string, path: string, body?: unknown, signing?: Signing) => Promise<Reply>;

/** Returns a function that signs and sends requests. In a path, such as `/v2/{p}/cloudsnapshots`, `{p}` means the project id. */
export function caller(cloud: EmbeddedCloud): Caller {
  return async (method, path, body, signing = {}) => {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const signedPath = path.replace("{p}", cloud.projectId);
    const signed: Signed = { path: signedPath, body: text, headers: sign(cloud, method, signedPath, text, signing) };
    const sent = { ...signed, ...signing.tamper?.(signed) };
    return send(cloud, method, sent.path, sent.headers, sent.body);
  };
}

/** Returns a function that sends requests with a token instead of a signature. */
export function tokenCaller(cloud: EmbeddedCloud, token = cloud.credentials.token ?? ""): Caller {
  return (method, path, body) =>
    send(
      cloud,
      method,
      path.replace("{p}", cloud.projectId),
      { "x-auth-token": token, "content-type": "application/json" },
      body === undefined ? undefined : JSON.stringify(body),
    );
}

/** Sends a POST request with a token through `node:http`, because `fetch` rejects some malformed responses. */
export function post(cloud: EmbeddedCloud, path: string, body: unknown): ClientRequest {
  const sent = request(cloud.url + path.replace("{p}", cloud.projectId), {
    method: "POST",
    agent: false,
    headers: { "x-auth-token": cloud.credentials.token ?? "", "content-type": "application/json" },
  });
  sent.on("error", () => {});
  onTestFinished(() => void sent.destroy());
  return sent.end(JSON.stringify(body));
}

export async function bodyOf(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

export async function send(
  cloud: EmbeddedCloud,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Reply> {
  const { host: _, ...sent } = headers;
  const response = await fetch(cloud.url + path, {
    method,
    headers: sent,
    redirect: "manual",
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

function sign(cloud: EmbeddedCloud, method: string, path: string, body: string | undefined, signing: Signing) {
  const { ak, sk, securityToken } = signing.credentials ?? cloud.credentials;
  const date = (signing.date ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, "");
  const [pathname = "", search = ""] = path.split(/\?(.*)/s);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    host: new URL(cloud.url).host,
    "x-project-id": cloud.projectId,
    "x-sdk-date": date,
    ...(securityToken === undefined ? {} : { "x-security-token": securityToken }),
    ...signing.headers,
  };
  const names = Object.keys(headers)
    .filter((name) => !signing.omit?.includes(name))
    .sort();
  const query = search
    .split("&")
    .filter((part) => part !== "")
    .map((part) => part.split(/=(.*)/s))
    .map(([key = "", value = ""]) => `${strict(decodeURIComponent(key))}=${strict(decodeURIComponent(value))}`)
    .sort();
  const canonical = [
    method,
    `${decodeURIComponent(pathname).split("/").map(strict).join("/")}/`,
    query.join("&"),
    names.map((name) => `${name}:${headers[name]}\n`).join(""),
    names.join(";"),
    headers["x-sdk-content-sha256"] ?? sha256(body ?? ""),
  ].join("\n");
  const signature = createHmac("sha256", sk)
    .update(`SDK-HMAC-SHA256\n${date}\n${sha256(canonical)}`)
    .digest("hex");
  const authorization = `SDK-HMAC-SHA256 Access=${ak}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...headers, ...signing.unsigned, authorization };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const strict = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

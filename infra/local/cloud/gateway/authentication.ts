/**
 * Authenticates a request by its SDK-HMAC-SHA256 signature (SOURCES.md#signature) or by the token in `X-Auth-Token`
 * (SOURCES.md#gateway-token-header). This code follows the public rules. It shares no code with the functions' signer, so a
 * mistake in the signer causes a 401.
 */
import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Query } from "./http.ts";

/** The credentials of one caller: an access key (`ak`, `sk`) and optionally a token. */
export interface Credentials {
  ak: string;
  sk: string;
  securityToken?: string;
  token?: string;
  /** The only project that the credentials can access. Default: the project of the embedded cloud. */
  projectId?: string;
}

/** How a request was authenticated: by a signature, by a token, or not at all. */
export type AuthenticationMethod = "sdk-hmac" | "token" | "none";

/** The parts of a request that authentication reads. */
export interface SignedRequest {
  method: string;
  /** The URL path without percent encoding. */
  path: string;
  query: Query;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The project id in the path, or `undefined` if the path contains no project id. */
  pathProject: string | undefined;
}

/**
 * The result of authentication. If authentication fails, `reason` describes the failure and `fault` is its cause: `signature` for
 * a mistake of the caller, `expired` for expired credentials, or `skew` for a wrong clock.
 */
export type AuthenticationResult =
  | { signed: AuthenticationMethod; credentials: Credentials }
  | { signed: AuthenticationMethod; reason: string; fault: "signature" | "expired" | "skew" };

/** The maximum difference between `X-Sdk-Date` and the wall clock (SOURCES.md#gateway-clock-skew). */
const MAX_SKEW_MS = 15 * 60 * 1000;

/** Stores the credentials that the embedded cloud accepts, and authenticates requests with them. */
export class Keyring {
  readonly #projectId: string;
  readonly #all: Credentials[] = [];
  readonly #expired = new Set<string>();

  constructor(projectId: string) {
    this.#projectId = projectId;
  }

  add(credentials: Credentials): void {
    const index = this.#all.findIndex(({ ak }) => ak === credentials.ak);
    if (index >= 0) this.#all.splice(index, 1);
    this.#all.push(credentials);
    this.#expired.delete(credentials.ak);
    if (credentials.token) this.#expired.delete(credentials.token);
  }

  /** Makes requests with this access key or token fail, as if its validity period were over. */
  expire(akOrToken: string): void {
    this.#expired.add(akOrToken);
  }

  /** Verifies the signature of a request. If the request has no signature, verifies its token. */
  verifySignature(request: SignedRequest, wallTime: number): AuthenticationResult {
    const { authorization, "x-auth-token": token } = request.headers;
    if (authorization !== undefined) return this.#verifyHmac(request, authorization, wallTime);
    if (typeof token === "string") return this.#verifyToken(request, token);
    return { signed: "none", reason: "no Authorization and no X-Auth-Token header", fault: "signature" };
  }

  #verifyToken(request: SignedRequest, token: string): AuthenticationResult {
    const credentials = this.#all.find((known) => known.token === token);
    if (!credentials) return { signed: "token", reason: "decrypt token fail", fault: "signature" };
    if (this.#expired.has(token)) return { signed: "token", reason: "token expired", fault: "expired" };
    const reason = this.#foreignProject(request, credentials);
    return reason ? { signed: "token", reason, fault: "signature" } : { signed: "token", credentials };
  }

  #verifyHmac(request: SignedRequest, authorization: string, wallTime: number): AuthenticationResult {
    const reject = (reason: string, fault: "signature" | "expired" | "skew" = "signature"): AuthenticationResult => ({
      signed: "sdk-hmac",
      reason,
      fault,
    });
    const parts = /^SDK-HMAC-SHA256 Access=([^, ]+), ?SignedHeaders=([^, ]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
    if (!parts) return reject("the Authorization header is malformed");
    const [, ak = "", signedHeaders = "", signature = ""] = parts;
    const credentials = this.#all.find((known) => known.ak === ak);
    if (!credentials) return reject(`unknown access key ${ak}`);

    const { headers } = request;
    const names = signedHeaders.split(";");
    if (names.join(";") !== [...names].sort().join(";") || names.some((name) => name !== name.toLowerCase())) {
      return reject("SignedHeaders must be lower-case and sorted");
    }
    for (const name of names) if (headers[name] === undefined) return reject(`signed header ${name} is missing`);
    // A signature need not cover `host`, because the Go SDK does not sign it (SOURCES.md#signature-signed-headers).
    if (!names.includes("x-sdk-date")) return reject("x-sdk-date is not signed");
    for (const name of ["x-project-id", "x-security-token"]) {
      if (headers[name] !== undefined && !names.includes(name)) return reject(`${name} is not signed`);
    }
    if (headers["x-security-token"] !== credentials.securityToken) {
      return reject("X-Security-Token does not belong to the access key");
    }

    const date = String(headers["x-sdk-date"]);
    const signedAt = parseSdkDate(date);
    if (signedAt === undefined) return reject("X-Sdk-Date must have the format YYYYMMDDTHHMMSSZ");
    if (canonicalSignature(request, names, date, credentials.sk) !== signature) {
      return reject("verify aksk signature fail");
    }
    if (Math.abs(wallTime - signedAt) > MAX_SKEW_MS) {
      return reject("X-Sdk-Date is more than 15 minutes from the current time", "skew");
    }
    if (this.#expired.has(ak)) return reject("token expired", "expired");

    const projectHeader = headers["x-project-id"];
    const project = credentials.projectId ?? this.#projectId;
    if (projectHeader !== undefined && projectHeader !== project) {
      return reject("X-Project-Id is not the project of the access key");
    }
    const foreign = this.#foreignProject(request, credentials);
    return foreign ? reject(foreign) : { signed: "sdk-hmac", credentials };
  }

  #foreignProject({ pathProject }: SignedRequest, credentials: Credentials): string | undefined {
    if (pathProject === undefined || pathProject === (credentials.projectId ?? this.#projectId)) return undefined;
    return "the project in the path is not the project of the credentials";
  }
}

function canonicalSignature(signedRequest: SignedRequest, names: string[], date: string, sk: string): string {
  const { method, path, query, headers, body } = signedRequest;
  const canonicalHeaders = names.map((name) => `${name}:${String(headers[name]).trim()}\n`).join("");
  const declared = headers["x-sdk-content-sha256"];
  // Compute the hash even if the request contains a hash. Otherwise a caller could change the body and keep a valid signature.
  const payloadHash = declared === "UNSIGNED-PAYLOAD" ? declared : createHash("sha256").update(body).digest("hex");
  const request = [
    method,
    canonicalPath(path),
    canonicalQuery(query),
    canonicalHeaders,
    names.join(";"),
    payloadHash,
  ].join("\n");
  const requestHash = createHash("sha256").update(request).digest("hex");
  return createHmac("sha256", sk).update(`SDK-HMAC-SHA256\n${date}\n${requestHash}`).digest("hex");
}

/** Encodes a path for the signature. The canonical path always ends with a slash (SOURCES.md#signature-canonical-uri). */
function canonicalPath(path: string): string {
  const encoded = path.split("/").map(encode).join("/");
  return encoded.endsWith("/") ? encoded : `${encoded}/`;
}

function canonicalQuery(query: Query): string {
  return [...query.keys()]
    .sort()
    .flatMap((key) => [...(query.get(key) ?? [])].sort().map((value) => `${encode(key)}=${encode(value)}`))
    .join("&");
}

/** Percent-encodes every character except `A-Za-z0-9-_.~`. `encodeURIComponent` alone would also leave `!'()*` unencoded. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function parseSdkDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

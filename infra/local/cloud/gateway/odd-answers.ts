/**
 * Lists responses that no API document describes. Some of them are known from proxies, load balancers and other OpenStack
 * services. The rest are invented. A test sends such a response with the fault `status`.
 *
 * @example
 * cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", ...ODD_ANSWERS.html, after: true });
 */
export interface OddAnswer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

const MIB = 1024 * 1024;
const LEVELS = 100_000;

const json = (status: number, body: unknown): OddAnswer => ({ status, body: JSON.stringify(body) });
const nested = (open: string, inner: string, close: string) => open.repeat(LEVELS) + inner + close.repeat(LEVELS);

export const ODD_ANSWERS = {
  text: { status: 400, headers: { "content-type": "text/plain" }, body: "Bad Request" },
  textWithoutType: { status: 502, headers: { "content-type": "" }, body: "upstream connect error" },
  html: {
    status: 503,
    headers: { "content-type": "text/html" },
    body: "<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>",
  },
  htmlNotFound: { status: 404, headers: { "content-type": "text/html" }, body: "<html>404 Not Found</html>" },
  htmlSuccess: { status: 200, headers: { "content-type": "text/html" }, body: "<html>Please log in</html>" },
  empty: { status: 400, body: "" },
  emptyNotFound: { status: 404, body: "" },
  noContent: { status: 204, body: "" },
  array: json(400, [{ code: "EVS.5400", message: "Bad request." }]),
  arraySuccess: json(200, []),
  string: json(400, "Bad request."),
  number: json(400, 5400),
  null: json(400, null),
  nullSuccess: json(200, null),
  emptyObject: json(400, {}),
  emptyObjectSuccess: json(202, {}),
  errorText: json(400, { error: "invalid_request" }),
  errorNull: json(500, { error: null }),
  errorArray: json(400, { errors: [{ code: "EVS.5400", message: "Bad request." }] }),
  errorNested: json(400, { error: { error: { code: "EVS.5400", message: "Bad request." } } }),
  codeObject: json(400, { error: { code: { value: "EVS.5400" }, message: ["Bad request."] } }),
  codePrototype: json(400, { error: { code: "__proto__", message: "constructor" } }),
  /** An error body with the status 200, which some DWS endpoints send. */
  failureSuccess: json(200, { error_code: "DWS.5000", error_msg: "The operation failed." }),
  conflict: json(409, {
    conflictingRequest: { code: 409, message: "Volume is busy with another task. Please try again later." },
  }),
  notFound: json(404, { itemNotFound: { code: 404, message: "The resource could not be found." } }),
  overLimit: json(413, { overLimit: { code: 413, message: "This request was rate-limited.", retryAfter: 1 } }),
  /** An error message of OpenStack Cinder with an error code of EVS. The real message of EVS is unconfirmed. */
  wrongVolumeStatus: json(400, {
    error: {
      code: "EVS.2024",
      message: "Invalid volume: Volume status must be available or in-use, but current status is: extending.",
    },
  }),
  tryAgainLater: json(400, { error: { code: "EVS.5400", message: "The system is busy, please try again later." } }),
  unauthorized: json(401, { error: { code: 401, title: "Unauthorized", message: "Authentication required." } }),
  requestTimeout: { status: 408, body: "" },
  tooLarge: {
    status: 413,
    headers: { "content-type": "text/html" },
    body: "<html>413 Request Entity Too Large</html>",
  },
  clientClosed: { status: 499, body: "" },
  unknownStatus: { status: 599, body: "network connect timeout" },
  proxyAuthentication: { status: 407, headers: { "proxy-authenticate": "Basic" }, body: "" },
  byteOrderMark: { status: 400, body: '\uFEFF{"error":{"code":"EVS.5400","message":"Bad request."}}' },
  controlCharacters: json(400, { error: { code: "EVS.5400\n", message: "a\u0000b\u001b[31mc\u2028d\u202ee\u009bf" } }),
  /** An error code of 1 MiB. */
  longCode: json(400, { error: { code: "E".repeat(MIB), message: "Bad request." } }),
  /** An error message of 1 MiB. */
  longMessage: json(400, { error: { code: "EVS.5400", message: "m".repeat(MIB) } }),
  /** A JSON body of 16 MiB. */
  large: { status: 500, body: `{"error":{"code":"EVS.5500","message":"${"x".repeat(16 * MIB - 42)}"}}` },
  largeSuccess: { status: 200, body: `{"padding":"${"x".repeat(16 * MIB - 14)}"}` },
  /** Arrays and objects with 100,000 levels of nesting. */
  deepArray: { status: 400, body: nested("[", "", "]") },
  deepObject: { status: 400, body: nested('{"error":', "{}", "}") },
  deepMessage: { status: 500, body: `{"error":{"code":"EVS.5500","message":${nested("[", "", "]")}}}` },
  deepSuccess: { status: 200, body: `{"snapshot":${nested("[", "", "]")}}` },
} satisfies Record<string, OddAnswer>;

export type OddAnswerName = keyof typeof ODD_ANSWERS;

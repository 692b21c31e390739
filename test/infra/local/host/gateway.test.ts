import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, type Host, startGateway, startHost } from "../../../../infra/local/host/index.ts";
import { writeBundles } from "../../../support/bundles.ts";

const SOURCES = {
  "create-echo": `
    exports.handler = async (event) => ({
      statusCode: 202,
      headers: { "content-type": "application/json", "x-request-id": "the function's" },
      body: JSON.stringify(event),
      isBase64Encoded: false,
    });`,
  "create-any": `exports.handler = async (event) => JSON.parse(Buffer.from(event.body, "base64").toString());`,
  "create-failing": `exports.handler = async () => { throw new RangeError("out of range"); };`,
  "create-slow": `exports.handler = () => new Promise((resolve) => setTimeout(resolve, 400));`,
  "pre-deploy": `exports.handler = async () => ({ statusCode: 200, headers: {}, body: "b2s=", isBase64Encoded: true });`,
  "prune-snapshots": `exports.handler = async () => ({});`,
};

const ROUTES = ["create-any", "create-echo", "create-failing", "create-slow", "pre-deploy"];

let bundles: ReturnType<typeof writeBundles>;
let host: Host;
let gateway: Gateway;

beforeAll(async () => {
  bundles = writeBundles(SOURCES);
  host = await startHost({
    dist: bundles.dist,
    userData: {},
    credentials: {},
    projectId: "p".repeat(32),
    timeoutSeconds: 5,
  });
  gateway = await startGateway({ host, routes: ROUTES, backendTimeoutMs: 3000 });
});
afterAll(async () => {
  await gateway.close();
  await host.close();
  bundles.remove();
});

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { method: "POST", body, headers });

test("the local gateway responds with 404 to a path without a route", async () => {
  expect(gateway.routes).toEqual(ROUTES);
  expect(gateway.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  for (const path of ["/prune-snapshots", "/", "/create-echo/more", "/nothing"]) {
    const response = await post(path, "{}");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error_code: "APIG.0101", request_id: expect.any(String) });
  }
});

test("the local gateway with an app code responds with 401 to a request without the app code", async () => {
  const guarded = await startGateway({ host, routes: ROUTES, appCode: "right" });
  const statusWith = async (headers: Record<string, string>) =>
    (await fetch(`${guarded.url}/create-echo`, { method: "POST", body: "{}", headers })).status;
  try {
    expect(await statusWith({ "X-Apig-AppCode": "right" })).toBe(202);
    expect(await statusWith({ "X-Apig-AppCode": "wrong" })).toBe(401);
    const response = await fetch(`${guarded.url}/create-echo`, { method: "POST", body: "{}" });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error_code: "APIG.0301", request_id: expect.any(String) });
  } finally {
    await guarded.close();
  }
});

test("the local gateway passes an event in the format of a dedicated API gateway to the function", async () => {
  const response = await post("/create-echo?a=1&b=two%20words", '{"snapshot":"ä"}', {
    "Idempotency-Key": "K-1",
    "Content-Type": "application/json",
  });
  expect(response.status).toBe(202);
  expect(response.headers.get("x-request-id")).toBe("the function's");
  expect(await response.json()).toEqual({
    body: Buffer.from('{"snapshot":"ä"}').toString("base64"),
    requestContext: {
      apiId: expect.stringMatching(/^[0-9a-f]{32}$/),
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
      stage: "RELEASE",
    },
    queryStringParameters: { a: "1", b: "two words" },
    httpMethod: "POST",
    pathParameters: {},
    headers: expect.objectContaining({
      "idempotency-key": "K-1",
      "content-type": "application/json",
      host: gateway.url.slice("http://".length),
    }),
    path: "/create-echo",
    isBase64Encoded: true,
  });
});

test("the local gateway passes the decoded query parameters of a GET request to the function, and every value of a repeated parameter", async () => {
  const response = await fetch(`${gateway.url}/create-echo?tags=backup%3Ddaily&kinds=volume&kinds=cluster&empty=`);
  expect(await response.json()).toMatchObject({
    httpMethod: "GET",
    body: "",
    queryStringParameters: { tags: "backup=daily", kinds: ["volume", "cluster"], empty: "" },
  });
});

test("the local gateway passes every HTTP method to the function", async () => {
  const response = await fetch(`${gateway.url}/create-echo`, { method: "DELETE" });
  expect(await response.json()).toMatchObject({ httpMethod: "DELETE", body: "" });
});

test("the local gateway decodes a base64 body in the function result", async () => {
  const response = await post("/pre-deploy", "");
  expect(await response.text()).toBe("ok");
});

describe("the local gateway checks the shape of a result", () => {
  const good = { statusCode: 200, headers: {}, body: "", isBase64Encoded: false };
  test.each([
    ["a string instead of an object", "text"],
    ["an array instead of an object", [good]],
    ["null instead of an object", null],
    ["an object with a string as statusCode", { ...good, statusCode: "200" }],
    ["an object with the statusCode 0", { ...good, statusCode: 0 }],
    ["an object without statusCode", { ...good, statusCode: undefined }],
    ["an object without headers", { ...good, headers: undefined }],
    ["an object with a number as a header value", { ...good, headers: { a: 1 } }],
    ["an object whose body is an object", { ...good, body: {} }],
    ["an object without isBase64Encoded", { ...good, isBase64Encoded: undefined }],
    ["an object with an unknown field", { ...good, status: 200 }],
  ])("the local gateway responds with 500 FSS.1202 if the function returns %s", async (_, result) => {
    const response = await post("/create-any", JSON.stringify(result));
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error_code: "FSS.1202" });
  });

  test("the local gateway passes a valid function result to the caller", async () => {
    expect((await post("/create-any", JSON.stringify(good))).status).toBe(200);
  });
});

test("the local gateway responds with 500 and the error message if the function throws", async () => {
  const response = await post("/create-failing", "{}");
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error_msg: "RangeError: out of range" });
});

test("the local gateway rejects a body of more than 4 MB with 413 before it calls the function", async () => {
  const response = await post("/create-echo", Buffer.alloc(4 * 1024 * 1024 + 1));
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ error_code: "APIG.0201" });
});

test("the local gateway responds with 504 after the backend timeout", async () => {
  const impatient = await startGateway({ host, routes: ROUTES, backendTimeoutMs: 100 });
  const response = await fetch(`${impatient.url}/create-slow`, { method: "POST", body: "{}" });
  await impatient.close();
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ error_code: "APIG.0201", error_msg: "Backend timeout." });
});

import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { caller, type Signed, type Signing, send, tokenCaller } from "../../../../support/cloud-client.ts";
import { START, startTestCloud, statusAndCode, wallClockAt } from "../../../../support/cloud-environment.ts";

const LIST = "/v2/{p}/cloudvolumes/detail";

type Tamper = NonNullable<Signing["tamper"]>;

test("the embedded cloud accepts a request with a valid signature and a request with a valid token", async () => {
  const { cloud, call } = await startTestCloud();
  expect((await call("GET", LIST)).status).toBe(200);
  expect((await tokenCaller(cloud)("GET", LIST)).status).toBe(200);
  expect(cloud.requests.map(({ signed }) => signed)).toEqual(["sdk-hmac", "token"]);
  expect(cloud.refusedSignatures).toEqual([]);
});

test("the embedded cloud accepts requests that the official SDK signed", async () => {
  const { cloud } = await startTestCloud();
  const { AKSKSigner } = createRequire(import.meta.url)("@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner");
  const { ak, sk, securityToken } = cloud.credentials;
  const sign = (method: string, path: string, rest: { queryParams?: object; data?: object }) =>
    AKSKSigner.sign(
      {
        endpoint: cloud.url + path,
        method,
        ...rest,
        headers: {
          "content-type": "application/json",
          "X-Project-Id": cloud.projectId,
          "X-Security-Token": securityToken,
        },
      },
      { getAk: () => ak, getSk: () => sk },
    );
  const list = `/v2/${cloud.projectId}/cloudvolumes/detail`;
  const queryParams = { ids: "['a','b c']", limit: "10", name: "é~!*()'" };
  // The querystring module of Node.js does not encode the characters `!*()'`.
  const wire = `${list}?ids=%5B'a'%2C'b%20c'%5D&limit=10&name=%C3%A9~!*()'`;
  expect((await send(cloud, "GET", wire, sign("GET", list, { queryParams }))).status).toBe(200);
  const create = `/v2/${cloud.projectId}/cloudsnapshots`;
  const data = { snapshot: { volume_id: cloud.addVolume().id, name: "ü" } };
  const response = await send(cloud, "POST", create, sign("POST", create, { data }), JSON.stringify(data));
  expect(response.status).toBe(202);
  const topic = `/v2/${cloud.projectId}/fgs/functions/urn:fss:${cloud.region}:${cloud.projectId}:function:default:f:latest`;
  const invoke = `${topic}/invocations-async`;
  expect((await send(cloud, "POST", invoke, sign("POST", invoke, { data }), JSON.stringify(data))).status).toBe(202);
  expect(cloud.refusedSignatures).toEqual([]);
});

test("the embedded cloud rejects a request without credentials with 401 APIGW.0301 in the error format of the gateway", async () => {
  const { cloud } = await startTestCloud();
  const response = await send(cloud, "GET", LIST.replace("{p}", cloud.projectId), {});
  expect(response.status).toBe(401);
  expect(Object.keys(response.json).sort()).toEqual(["error_code", "error_msg", "request_id"]);
  expect(response.json.error_code).toBe("APIGW.0301");
  expect(response.json.request_id).toBe(response.headers.get("x-request-id"));
  expect(cloud.refusedSignatures).toHaveLength(1);
});

test("the embedded cloud rejects a signed request if its path, query, headers or body changed after the signing", async () => {
  const { cloud, call } = await startTestCloud();
  const volume = cloud.addVolume();
  const body = { snapshot: { volume_id: volume.id } };
  const header =
    (name: string, value: string): Tamper =>
    ({ headers }) => ({ headers: { ...headers, [name]: value } });
  const tampers: Tamper[] = [
    ({ path }) => ({ path: `${path}?limit=1` }),
    header("x-sdk-date", "20261121T020000Z"),
    header("x-project-id", "0".repeat(32)),
    ({ body }) => ({ body: `${body} ` }),
  ];
  for (const tamper of tampers) {
    expect(statusAndCode(await call("POST", "/v2/{p}/cloudsnapshots", body, { tamper }))).toEqual([401, "APIGW.0301"]);
  }
  const otherPath: Tamper = ({ path }) => ({ path: `${path}/other` });
  const moved = await call("GET", "/v2/{p}/cloudsnapshots", undefined, { tamper: otherPath });
  expect(statusAndCode(moved)).toEqual([401, "APIGW.0301"]);
  expect(cloud.snapshots()).toEqual([]);
  expect((await call("POST", "/v2/{p}/cloudsnapshots", body)).status).toBe(202);
});

test("the embedded cloud rejects a request with a wrong secret key, an unknown access key or a malformed authorization header", async () => {
  const { cloud, call } = await startTestCloud();
  const { credentials } = cloud;
  const wrong = [
    { credentials: { ...credentials, sk: "wrong" } },
    { credentials: { ...credentials, ak: "UNKNOWN" } },
    { tamper: ({ headers }: Signed) => ({ headers: { ...headers, authorization: "Bearer x" } }) },
    { tamper: ({ headers }: Signed) => ({ headers: { ...headers, authorization: `${headers.authorization}0` } }) },
  ];
  for (const signing of wrong)
    expect(statusAndCode(await call("GET", LIST, undefined, signing))).toEqual([401, "APIGW.0301"]);
  expect(cloud.refusedSignatures).toHaveLength(wrong.length);
});

test("the embedded cloud accepts a signature that does not cover the host header", async () => {
  const { call } = await startTestCloud();
  expect((await call("GET", LIST, undefined, { omit: ["host"] })).status).toBe(200);
});

test("the embedded cloud rejects a signature that does not cover the date, project and security token headers", async () => {
  const { cloud, call } = await startTestCloud();
  for (const name of ["x-sdk-date", "x-project-id", "x-security-token"]) {
    expect(statusAndCode(await call("GET", LIST, undefined, { omit: [name] }))).toEqual([401, "APIGW.0301"]);
    expect(cloud.refusedSignatures.at(-1)).toContain(`${name} is not signed`);
  }
});

test("the embedded cloud rejects temporary access keys without a security token, and permanent access keys with a security token", async () => {
  const { cloud, call } = await startTestCloud();
  const { ak, sk } = cloud.credentials;
  const other = { ak, sk, securityToken: "another" };
  expect(statusAndCode(await call("GET", LIST, undefined, { credentials: other }))).toEqual([401, "APIGW.0301"]);
  expect(statusAndCode(await call("GET", LIST, undefined, { credentials: { ak, sk } }))).toEqual([401, "APIGW.0301"]);
  cloud.addCredentials({ ak: "PERMANENT", sk: "s" });
  const permanent = { ak: "PERMANENT", sk: "s" };
  expect((await call("GET", LIST, undefined, { credentials: permanent })).status).toBe(200);
  const superfluous = { ...permanent, securityToken: "x" };
  expect(statusAndCode(await call("GET", LIST, undefined, { credentials: superfluous }))).toEqual([401, "APIGW.0301"]);
});

test("the embedded cloud accepts a request if its date differs from the wall clock by at most 15 minutes", async () => {
  wallClockAt(START);
  const { cloud, clock, call } = await startTestCloud();
  clock.set("2030-01-01T00:00:00Z");
  const listAt = (seconds: number) =>
    call("GET", LIST, undefined, { date: new Date(Date.parse(START) + seconds * 1000) });
  expect((await listAt(-14 * 60 - 55)).status).toBe(200);
  expect((await listAt(14 * 60 + 55)).status).toBe(200);
  expect(statusAndCode(await listAt(-15 * 60 - 2))).toEqual([401, "APIGW.0301"]);
  expect(statusAndCode(await listAt(15 * 60 + 2))).toEqual([401, "APIGW.0301"]);
  expect(cloud.refusedSignatures).toHaveLength(2);
});

test("the embedded cloud accepts a body that is not signed if the request declares UNSIGNED-PAYLOAD", async () => {
  const { cloud, call } = await startTestCloud();
  const volume = cloud.addVolume();
  const response = await call(
    "POST",
    "/v2/{p}/cloudsnapshots",
    { snapshot: { volume_id: volume.id } },
    { headers: { "x-sdk-content-sha256": "UNSIGNED-PAYLOAD" } },
  );
  expect(response.status).toBe(202);
});

test("the embedded cloud rejects a request for a project that is not the project of the credentials", async () => {
  const { cloud, call } = await startTestCloud();
  const foreign = "f".repeat(32);
  expect(statusAndCode(await call("GET", `/v2/${foreign}/cloudvolumes/detail`))).toEqual([401, "APIGW.0301"]);
  expect(statusAndCode(await call("GET", LIST, undefined, { headers: { "x-project-id": foreign } }))).toEqual([
    401,
    "APIGW.0301",
  ]);
  expect(statusAndCode(await tokenCaller(cloud)("GET", `/v2/${foreign}/cloudvolumes/detail`))).toEqual([
    401,
    "APIGW.0301",
  ]);
});

test("the embedded cloud accepts the credentials of several callers and rejects expired credentials", async () => {
  const { cloud, call } = await startTestCloud();
  const second = { ak: "SECOND", sk: "secret", securityToken: "t2", token: "token2" };
  cloud.addCredentials(second);
  expect((await call("GET", LIST, undefined, { credentials: second })).status).toBe(200);
  cloud.expireCredentials(cloud.credentials.ak);
  const expired = await call("GET", LIST);
  expect(statusAndCode(expired)).toEqual([401, "APIGW.0301"]);
  expect(expired.json.error_msg).toContain("token expired");
  expect((await call("GET", LIST, undefined, { credentials: second })).status).toBe(200);
  expect((await tokenCaller(cloud, "token2")("GET", LIST)).status).toBe(200);
  cloud.expireCredentials("token2");
  expect(statusAndCode(await tokenCaller(cloud, "token2")("GET", LIST))).toEqual([401, "APIGW.0301"]);
  expect(statusAndCode(await tokenCaller(cloud, "nobody's")("GET", LIST))).toEqual([401, "APIGW.0301"]);
  // refusedSignatures omits credentials that the test expired, so it contains only the unknown token.
  expect(cloud.refusedSignatures).toHaveLength(1);
});

test("the embedded cloud records requests without the caller's access keys, tokens and signatures", async () => {
  const { cloud, call } = await startTestCloud();
  await call("GET", `${LIST}?limit=5`);
  const { credentials } = cloud;
  const text = JSON.stringify(cloud.requests);
  for (const secret of [credentials.sk, credentials.securityToken, credentials.token])
    expect(text).not.toContain(secret);
  expect(text).not.toContain("Signature=");
  expect(cloud.requests[0]).toMatchObject({
    n: 1,
    method: "GET",
    query: { limit: "5" },
    status: 200,
    service: "evs",
    operation: "evs.listVolumes",
    signed: "sdk-hmac",
  });
});

test("the embedded cloud responds to an unknown path with 404 APIGW.0101", async () => {
  const { cloud, call } = await startTestCloud();
  expect(statusAndCode(await call("GET", "/v2/{p}/nothing"))).toEqual([404, "APIGW.0101"]);
  expect(statusAndCode(await call("PATCH", LIST))).toEqual([404, "APIGW.0101"]);
  expect(statusAndCode(await caller(cloud)("GET", "/"))).toEqual([404, "APIGW.0101"]);
});

test("the embedded cloud responds with 413 to a request body of more than 12 MB", async () => {
  const { call } = await startTestCloud();
  expect(statusAndCode(await call("POST", "/v2/{p}/cloudsnapshots", "x".repeat(12 * 1024 * 1024 + 1)))).toEqual([
    413,
    "APIGW.0201",
  ]);
});

import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../../../functions/create-standard-snapshot/handler.ts";
import {
  type Agency,
  type Credentials,
  readCredentials,
  sdkCredential,
  secretsOf,
} from "../../../../shared/huaweicloud/http/credentials.ts";
import { apig, createTestEnvironment } from "../../../support/environment.ts";

const NONE: Agency = { securityAccessKey: "", securitySecretKey: "", securityToken: "", token: "" };
const KEY = { securityAccessKey: "AK", securitySecretKey: "SK", securityToken: "ST" };
const ENVIRONMENT = {
  HUAWEICLOUD_SDK_AK: "env-AK",
  HUAWEICLOUD_SDK_SK: "env-SK",
  HUAWEICLOUD_SDK_SECURITY_TOKEN: "env-ST",
};

describe("readCredentials", () => {
  test.each<[what: string, agency: Partial<Agency>, environment: Record<string, string>, expected: Credentials]>([
    [
      "the agency's access key, although the agency also has a token",
      { ...KEY, token: "T" },
      ENVIRONMENT,
      { accessKey: "AK", secretKey: "SK", securityToken: "ST" },
    ],
    [
      "the agency's access key without a security token",
      { ...KEY, securityToken: "" },
      {},
      { accessKey: "AK", secretKey: "SK", securityToken: undefined },
    ],
    ["the agency's token if the agency has no access key", { token: "T" }, ENVIRONMENT, { token: "T" }],
    [
      "the agency's token if the agency has an access key without a secret key",
      { ...KEY, securitySecretKey: "", token: "T" },
      {},
      { token: "T" },
    ],
    [
      "the access key of the environment if the agency has no credentials",
      {},
      ENVIRONMENT,
      { accessKey: "env-AK", secretKey: "env-SK", securityToken: "env-ST" },
    ],
    [
      "the access key of the environment if the agency has a secret key without an access key",
      { ...KEY, securityAccessKey: "" },
      ENVIRONMENT,
      { accessKey: "env-AK", secretKey: "env-SK", securityToken: "env-ST" },
    ],
    [
      "a permanent access key of the environment without a security token",
      {},
      { HUAWEICLOUD_SDK_AK: "A", HUAWEICLOUD_SDK_SK: "S", HUAWEICLOUD_SDK_SECURITY_TOKEN: "" },
      { accessKey: "A", secretKey: "S", securityToken: undefined },
    ],
  ])("readCredentials returns %s", (_what, agency, environment, expected) => {
    expect(readCredentials({ ...NONE, ...agency }, environment)).toEqual(expected);
  });

  test.each<[what: string, environment: Record<string, string>]>([
    ["neither the agency nor the environment has credentials", {}],
    [
      "the environment has an access key without its secret key",
      { HUAWEICLOUD_SDK_AK: "env-AK", HUAWEICLOUD_SDK_SECURITY_TOKEN: "env-ST" },
    ],
    ["the environment has a secret key without its access key", { HUAWEICLOUD_SDK_SK: "env-SK" }],
    [
      "the environment has only the variables of other providers and tools",
      { AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "S", HW_ACCESS_KEY: "A", HW_SECRET_KEY: "S", OS_TOKEN: "T" },
    ],
  ])("readCredentials throws Misconfigured and names HUAWEICLOUD_SDK_AK if %s", (_what, environment) => {
    expect(() => readCredentials(NONE, environment)).toThrow(
      expect.objectContaining({
        reason: "Misconfigured",
        message: expect.stringMatching(/no.*agency.*HUAWEICLOUD_SDK_AK/),
      }),
    );
  });

  test.each<[what: string, agency: Partial<Agency>, environment: Record<string, string>]>([
    ["a line break after the access key", {}, { ...ENVIRONMENT, HUAWEICLOUD_SDK_AK: "the-secret\n" }],
    ["a line break after the secret key", {}, { ...ENVIRONMENT, HUAWEICLOUD_SDK_SK: "the-secret\r\n" }],
    ["a space before the security token", {}, { ...ENVIRONMENT, HUAWEICLOUD_SDK_SECURITY_TOKEN: " the-secret" }],
    ["a token with a Cyrillic letter", { token: "the-secret-ключ" }, {}],
  ])("readCredentials rejects %s, and the error does not contain the value", (_what, agency, environment) => {
    let thrown: unknown;
    try {
      readCredentials({ ...NONE, ...agency }, environment);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ reason: "Misconfigured", message: expect.stringContaining("line break") });
    expect(String((thrown as Error).stack)).not.toContain("the-secret");
  });

  test("secretsOf returns the access key, the secret key, the security token and the token", () => {
    expect(secretsOf({ accessKey: "A", secretKey: "S", securityToken: "T" })).toEqual(["A", "S", "T"]);
    expect(secretsOf({ accessKey: "A", secretKey: "S" })).toEqual(["A", "S"]);
    expect(secretsOf({ token: "T" })).toEqual(["T"]);
  });
});

describe("the authentication of requests", () => {
  const FACTORIES = [
    ["create-snapshot", createSnapshot, "snapshot"],
    ["create-standard-snapshot", createStandardSnapshot, "snapshot"],
    ["create-snapshot-group", createSnapshotGroup, "snapshot_group"],
    ["create-cluster-snapshot", createClusterSnapshot, "snapshot"],
  ] as const;
  const bodyFor = (name: string, disk: string, cluster: string) =>
    name === "create-cluster-snapshot"
      ? { snapshot: { name: "snapshot-3", cluster_id: cluster } }
      : name === "create-snapshot-group"
        ? { snapshot_group: { volume_ids: [disk] } }
        : { snapshot: { volume_id: disk } };

  test.each(FACTORIES)(
    "%s signs every request with the agency's access key and sends no token",
    async (name, factory) => {
      const { cloud, invoke } = await createTestEnvironment();
      const { result } = await invoke(factory, apig(bodyFor(name, cloud.addVolume().id, cloud.addCluster().id)));
      expect(result.headers["x-snapshot-outcome"]).toBe("accepted");
      expect(cloud.refusedSignatures).toEqual([]);
      // The function sends a list request, a create request and a report to the logging topic.
      expect(cloud.requests.map(({ signed }) => signed)).toEqual(["sdk-hmac", "sdk-hmac", "sdk-hmac"]);
      for (const { headers } of cloud.requests) {
        expect(headers).toMatchObject({ "x-security-token": "***", "x-project-id": cloud.projectId });
        expect(headers).not.toHaveProperty("x-auth-token");
      }
    },
  );

  test.each(FACTORIES)(
    "%s sends the agency's token with every request if the agency has no access key",
    async (name, factory) => {
      const { cloud, invoke } = await createTestEnvironment();
      const { token } = cloud.credentials;
      const body = apig(bodyFor(name, cloud.addVolume().id, cloud.addCluster().id));
      const { result } = await invoke(factory, body, { credentials: { token } });
      expect(result.headers["x-snapshot-outcome"]).toBe("accepted");
      expect(cloud.requests.map(({ signed }) => signed)).toEqual(["token", "token", "token"]);
      for (const { headers } of cloud.requests) {
        expect(headers).toHaveProperty("x-auth-token");
        for (const other of ["authorization", "x-security-token", "x-sdk-date"])
          expect(headers).not.toHaveProperty(other);
      }
    },
  );

  test("create-snapshot sends no X-Security-Token header with a permanent access key", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    cloud.addCredentials({ ak: "PERMANENT", sk: "permanent-secret" });
    const { result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }), {
      credentials: {},
      environment: { HUAWEICLOUD_SDK_AK: "PERMANENT", HUAWEICLOUD_SDK_SK: "permanent-secret" },
    });
    expect(result.statusCode).toBe(202);
    expect(cloud.requests[0]?.headers).not.toHaveProperty("x-security-token");
    expect(cloud.refusedSignatures).toEqual([]);
  });

  test("sdkCredential encodes the project id so that a slash in the id does not change the URL path", async () => {
    for (const credentials of [{ accessKey: "A", secretKey: "S" }, { token: "T" }]) {
      const request = { url: "/v2/{project_id}/x", headers: { "content-type": "application/json" }, method: "GET" };
      const complete = Object.assign(request, {
        endpoint: "https://evs.example.com",
        queryParams: {},
        pathParams: {},
        getPathParams: () => ({}),
        getHeaders: () => request.headers,
      });
      // biome-ignore lint/suspicious/noExplicitAny: the SDK uses only a part of its own types
      const sent = await sdkCredential(credentials, "a/../$& b").processAuthRequest({} as any, complete as any);
      expect(sent.url).toBe("/v2/a%2F..%2F%24%26%20b/x");
    }
  });
});

describe("invalid credentials", () => {
  test("create-snapshot returns Misconfigured and sends no request if the function has no agency", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const { result, records } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }), {
      credentials: {},
    });
    expect(result.statusCode).toBe(500);
    expect(JSON.parse(result.body).error).toMatchObject({
      reason: "Misconfigured",
      message: expect.stringContaining("agency"),
    });
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed", error: { reason: "Misconfigured" } });
    expect(cloud.requests).toEqual([]);
  });

  test("create-snapshot returns 502 with AccessDenied and prints no secret if the token expires during the invocation", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    cloud.fault({ operation: "evs.createSnapshot" }, { type: "expiredToken" });
    const { result, output } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "APIGW.0301", reason: "AccessDenied" });
    expect(cloud.count("evs.createSnapshot")).toBe(1);
    for (const secret of Object.values(cloud.credentials)) expect(output).not.toContain(secret);
  });

  test("create-snapshot uses the agency's token if the context's getters for the access key throw or return no string", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const variables: Record<string, string> = { EVS_ENDPOINT: cloud.url, PROJECT_ID: cloud.projectId };
    const { result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }), {
      context: {
        getSecurityAccessKey: () => {
          throw new Error("no agency");
        },
        getSecuritySecretKey: () => undefined,
        getSecurityToken: 42,
        getToken: () => cloud.credentials.token,
        getUserData: (name: string) => variables[name],
        getRemainingTimeInMilliSeconds: () => 30_000,
      },
    });
    expect(result.statusCode).toBe(202);
    expect(cloud.requests[0]?.signed).toBe("token");
  });
});

describe("credentials of a warm instance", () => {
  test("create-snapshot reads the credentials again in each invocation of a warm instance and never uses the access key of an earlier invocation", async () => {
    const { cloud, invoke, runtime } = await createTestEnvironment();
    // A warm instance reuses one handler.
    const handler = createSnapshot(runtime);
    const warm = () => handler as never;
    const fresh = { ak: "FRESHKEY", sk: "fresh-secret", securityToken: "fresh-security-token" };
    expect((await invoke(warm, apig({ snapshot: { volume_id: cloud.addVolume().id } }))).result.statusCode).toBe(202);
    cloud.expireCredentials(cloud.credentials.ak);
    cloud.addCredentials(fresh);
    const later = await invoke(warm, apig({ snapshot: { volume_id: cloud.addVolume().id } }), { credentials: fresh });
    expect(later.result.statusCode).toBe(202);
    const token = await invoke(warm, apig({ snapshot: { volume_id: cloud.addVolume().id } }), {
      credentials: { token: cloud.credentials.token },
    });
    expect(token.result.statusCode).toBe(202);
    const none = await invoke(warm, apig({ snapshot: { volume_id: cloud.addVolume().id } }), { credentials: {} });
    expect(none.result.statusCode).toBe(500);
    expect(cloud.refusedSignatures).toEqual([]);
  });
});

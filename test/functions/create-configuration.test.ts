/** Tests how the create functions report variables and contexts of the platform that are missing or invalid. */
import { describe, expect, test } from "vitest";
import { CLUSTER, type Create, createFixture, SNAPSHOT } from "../support/creates.ts";
import { apig, errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("invalid variables", () => {
  const LTS = {
    LTS_ENDPOINT: "the logging topic",
    LTS_LOG_GROUP_ID: "the logging topic",
    LTS_LOG_STREAM_ID: "the logging topic",
  };
  type Broken = [variables: Record<string, string | undefined>, name: string, expected: string, create?: Create];
  const BROKEN: Broken[] = [
    [{ EVS_ENDPOINT: undefined, REGION: undefined }, "EVS_ENDPOINT nor REGION", "such as eu-west-101"],
    [{ DWS_ENDPOINT: undefined, REGION: undefined }, "DWS_ENDPOINT nor REGION", "such as eu-west-101", CLUSTER],
    [{ EVS_ENDPOINT: undefined, REGION: "eu west" }, "REGION", "such as eu-west-101"],
    [{ EVS_ENDPOINT: undefined, REGION: "evil.example.com/" }, "REGION", "such as eu-west-101"],
    ...[
      "http://evs.example.com",
      "evs.example.com",
      "ftp://127.0.0.1",
      "https://evs.example.com/v2",
      "https://evs.example.com?x=1",
      "not an address",
      "http://127.0.0.1.example.com",
    ].map((address): Broken => [{ EVS_ENDPOINT: address }, "EVS_ENDPOINT", "an address such as https://"]),
    [{ DWS_ENDPOINT: "dws" }, "DWS_ENDPOINT", "an address such as https://", CLUSTER],
    [{ PROJECT_ID: "../x" }, "PROJECT_ID", "an id of letters, digits, - and _"],
    [{ PROJECT_ID: "{project_id}" }, "PROJECT_ID", "an id of letters, digits, - and _"],
    [{ PROJECT_ID: "p\n" }, "PROJECT_ID", "an id of letters, digits, - and _"],
    [{ EVS_LIMITS: "old" }, "EVS_LIMITS", '"current" or "classic"'],
    ...["0", "-1", "1.5", "1e3", "ten", "600001", " 5"].map(
      (text): Broken => [{ HTTP_TIMEOUT_MS: text }, "HTTP_TIMEOUT_MS", "a whole number from 1 to 600000"],
    ),
    [{ LTS_ENDPOINT: "http://lts.example.com" }, "LTS_ENDPOINT", "an address such as https://"],
    [{ LTS_LOG_GROUP_ID: "a/b" }, "LTS_LOG_GROUP_ID", "an id of letters, digits, - and _"],
    [{ LTS_LOG_STREAM_ID: "a b" }, "LTS_LOG_STREAM_ID", "an id of letters, digits, - and _"],
    ...Object.entries(LTS).flatMap(([name, expected]): Broken[] => [
      [{ [name]: undefined }, name, expected],
      [{ [name]: "" }, name, expected],
      [
        Object.fromEntries(Object.keys(LTS).map((other) => [other, other === name ? "x" : undefined])),
        "are not set",
        expected,
      ],
    ]),
  ];

  test.each(BROKEN)(
    'the create functions respond 500 Misconfigured to the variables %o with a message that contains "%s"',
    async (variables, name, expected, create = SNAPSHOT) => {
      const fixture = await createFixture(create, { variables });
      const answered = await fixture.post();
      expect(answered.result.statusCode).toBe(500);
      expect(errorOf(answered)).toMatchObject({ code: "Misconfigured", reason: "Misconfigured" });
      expect(errorOf(answered).message).toContain(name);
      expect(errorOf(answered).message).toContain(expected);
      expect(answered.records.at(-1)).toMatchObject({
        action: "run",
        outcome: "failed",
        error: { reason: "Misconfigured" },
      });
      expect(answered.warnings).toEqual([]);
      expect(fixture.requests()).toEqual([]);
      const direct = await fixture.direct();
      expect(direct.error?.message).toBe(errorOf(answered).message);
    },
  );

  test("create-snapshot does not repeat a password in an invalid endpoint", async () => {
    const fixture = await createFixture(SNAPSHOT, {
      variables: { EVS_ENDPOINT: "https://me:hunter2@evs.example.com" },
    });
    const { output } = await fixture.post();
    expect(output).toContain("EVS_ENDPOINT");
    expect(output).not.toContain("hunter2");
  });
});

describe("the context of the platform", () => {
  test("create-snapshot responds 500 Misconfigured and names the agency if the context is empty", async () => {
    const fixture = await createFixture(SNAPSHOT);
    for (const context of [{}, undefined, null]) {
      const answered = await fixture.http(apig(fixture.body()), { context });
      expect(answered.result.statusCode).toBe(500);
      expect(errorOf(answered).message).toMatch(/agency.*HUAWEICLOUD_SDK_AK/);
      expect(answered.result.headers["x-request-id"]).toMatch(/^made-up-\d+$/);
      expect(outcomes(answered)).toEqual(["run failed"]);
    }
  });

  test("create-snapshot uses environment variables if the context is empty outside the platform", async () => {
    const fixture = await createFixture(SNAPSHOT);
    const { ak, sk, securityToken = "" } = fixture.cloud.credentials;
    const environment = {
      HUAWEICLOUD_SDK_AK: ak,
      HUAWEICLOUD_SDK_SK: sk,
      HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken,
      RUNTIME_USERDATA: JSON.stringify({ EVS_ENDPOINT: fixture.cloud.url }),
      RUNTIME_PROJECT_ID: fixture.cloud.projectId,
    };
    const { result } = await fixture.http(apig(fixture.body()), { context: {}, environment });
    expect(result.statusCode).toBe(202);
    expect(fixture.cloud.snapshots()).toHaveLength(1);
  });

  test("create-snapshot uses the project of the context if PROJECT_ID is not set", async () => {
    const fixture = await createFixture(SNAPSHOT, { variables: { PROJECT_ID: undefined } });
    expect((await fixture.post()).result.statusCode).toBe(202);
  });

  test("create-snapshot uses the token if the context has an access key without a secret key", async () => {
    const fixture = await createFixture(SNAPSHOT);
    const { ak, token } = fixture.cloud.credentials;
    expect((await fixture.post({}, {}, { credentials: { ak, token } })).result.statusCode).toBe(202);
    expect(new Set(fixture.cloud.requests.map(({ signed }) => signed))).toEqual(new Set(["token"]));
  });
});

/** Tests how the create functions respond if a variable is missing or invalid, or if the FunctionGraph context lacks values. */
import { describe, expect, test } from "vitest";
import { CLUSTER, type Create, createFixture, SNAPSHOT } from "../support/creates.ts";
import { errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

/** Returns a text such as `REGION is "eu west" and EVS_ENDPOINT is not set`. */
const describeVariables = (variables: Record<string, string | undefined>) =>
  Object.entries(variables)
    .map(([name, value]) => `${name} is ${value === undefined ? "not set" : JSON.stringify(value)}`)
    .join(" and ");

describe("invalid variables", () => {
  type Case = [variables: Record<string, string | undefined>, name: string, expected: string, create?: Create];
  const invalid = (name: string, values: string[], expected: string, create?: Create): Case[] =>
    values.map((value) => [{ [name]: value }, name, expected, create]);
  const ADDRESS = "an address such as https://";
  const ID = "an id of letters, digits, - and _";
  const LTS = ["LTS_ENDPOINT", "LTS_LOG_GROUP_ID", "LTS_LOG_STREAM_ID"];

  const CASES: Case[] = [
    [{ EVS_ENDPOINT: undefined, REGION: undefined }, "EVS_ENDPOINT nor REGION", "such as eu-west-101"],
    [{ DWS_ENDPOINT: undefined, REGION: undefined }, "DWS_ENDPOINT nor REGION", "such as eu-west-101", CLUSTER],
    [{ EVS_ENDPOINT: undefined, REGION: "eu west" }, "REGION", "such as eu-west-101"],
    [{ EVS_ENDPOINT: undefined, REGION: "evil.example.com/" }, "REGION", "such as eu-west-101"],
    ...invalid("EVS_ENDPOINT", ["http://evs.example.com", "evs.example.com", "ftp://127.0.0.1"], ADDRESS),
    ...invalid("EVS_ENDPOINT", ["https://evs.example.com/v2", "https://evs.example.com?x=1"], ADDRESS),
    ...invalid("EVS_ENDPOINT", ["not an address", "http://127.0.0.1.example.com"], ADDRESS),
    ...invalid("DWS_ENDPOINT", ["dws"], ADDRESS, CLUSTER),
    ...invalid("PROJECT_ID", ["../x", "{project_id}", "p\n"], ID),
    ...invalid("EVS_LIMITS", ["old"], '"current" or "classic"'),
    ...invalid("HTTP_TIMEOUT_MS", ["0", "-1", "1.5", "1e3", "ten", "600001", " 5"], "a whole number from 1 to 600000"),
    ...invalid("LTS_ENDPOINT", ["http://lts.example.com"], ADDRESS),
    ...invalid("LTS_LOG_GROUP_ID", ["a/b"], ID),
    ...invalid("LTS_LOG_STREAM_ID", ["a b"], ID),
    ...LTS.flatMap((name): Case[] => [
      [{ [name]: undefined }, name, "the logging topic"],
      [{ [name]: "" }, name, "the logging topic"],
      [
        Object.fromEntries(LTS.map((other) => [other, other === name ? "x" : undefined])),
        "are not set",
        "the logging topic",
      ],
    ]),
  ];
  test.each(
    CASES.map(
      ([variables, name, expected, create = SNAPSHOT]) =>
        [create.name, describeVariables(variables), variables, name, expected, create] as const,
    ),
  )(
    "%s responds 500 with the reason Misconfigured if %s",
    async (_function, _condition, variables, name, expected, create) => {
      const fixture = await createFixture(create, { variables });
      const response = await fixture.post();
      expect(response.result.statusCode).toBe(500);
      expect(errorOf(response)).toMatchObject({ code: "Misconfigured", reason: "Misconfigured" });
      expect(errorOf(response).message).toContain(name);
      expect(errorOf(response).message).toContain(expected);
      const run = { action: "run", outcome: "failed", error: { reason: "Misconfigured" } };
      expect(response.records.at(-1)).toMatchObject(run);
      expect(response.warnings).toEqual([]);
      expect(fixture.requests()).toEqual([]);
      const direct = await fixture.direct();
      expect(direct.error?.message).toBe(errorOf(response).message);
    },
  );

  test("create-snapshot does not reveal a password in an invalid EVS_ENDPOINT", async () => {
    const fixture = await createFixture(SNAPSHOT, {
      variables: { EVS_ENDPOINT: "https://me:hunter2@evs.example.com" },
    });
    const { output } = await fixture.post();
    expect(output).toContain("EVS_ENDPOINT");
    expect(output).not.toContain("hunter2");
  });
});

describe("the context of FunctionGraph", () => {
  test("create-snapshot responds 500 with a message about the missing agency if its context is an empty object, undefined or null", async () => {
    const fixture = await createFixture(SNAPSHOT);
    for (const context of [{}, undefined, null]) {
      const response = await fixture.http(undefined, { context });
      expect(response.result.statusCode).toBe(500);
      expect(errorOf(response).message).toMatch(/agency.*HUAWEICLOUD_SDK_AK/);
      expect(response.result.headers["x-request-id"]).toMatch(/^made-up-\d+$/);
      expect(outcomes(response)).toEqual(["run failed"]);
    }
  });

  test("create-snapshot reads its credentials, project id and settings from environment variables if its context is an empty object", async () => {
    const fixture = await createFixture(SNAPSHOT);
    const { ak, sk, securityToken = "" } = fixture.cloud.credentials;
    const environment = {
      HUAWEICLOUD_SDK_AK: ak,
      HUAWEICLOUD_SDK_SK: sk,
      HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken,
      RUNTIME_USERDATA: JSON.stringify({ EVS_ENDPOINT: fixture.cloud.url }),
      RUNTIME_PROJECT_ID: fixture.cloud.projectId,
    };
    const { result } = await fixture.http(undefined, { context: {}, environment });
    expect(result.statusCode).toBe(202);
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test("create-snapshot uses the project id in the FunctionGraph context if the variable PROJECT_ID is not set", async () => {
    const fixture = await createFixture(SNAPSHOT, { variables: { PROJECT_ID: undefined } });
    expect((await fixture.post()).result.statusCode).toBe(202);
  });

  test("create-snapshot authenticates with the token in the FunctionGraph context if the context has no secret key", async () => {
    const fixture = await createFixture(SNAPSHOT);
    const { ak, token } = fixture.cloud.credentials;
    expect((await fixture.post({}, {}, { credentials: { ak, token } })).result.statusCode).toBe(202);
    expect(new Set(fixture.cloud.requests.map(({ signed }) => signed))).toEqual(new Set(["token"]));
  });
});

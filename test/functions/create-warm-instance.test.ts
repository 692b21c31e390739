/** Tests one instance of a create function that serves several invocations. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Create, SNAPSHOT } from "../support/creates.ts";
import { apig, createTestEnvironment, errorOf } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("a warm instance", () => {
  /** Creates a test environment in which one handler serves all invocations, as on the platform. */
  async function warm(create: Create, options: Parameters<typeof createTestEnvironment>[0] = {}) {
    const environment = await createTestEnvironment({ ...options });
    const lines: string[] = [];
    const handler = create.factory({ ...environment.runtime, print: (line) => void lines.push(line) });
    const invoke = (event: unknown, how = {}) => environment.invoke(() => handler, event, how);
    const records = (requestId: string) =>
      lines.map((line) => JSON.parse(line)).filter(({ request_id }) => request_id === requestId);
    return { ...environment, invoke, lines, records };
  }

  test("create-snapshot carries no key, credentials, project, variables or failure over to the next invocation", async () => {
    const fixture = await warm(SNAPSHOT);
    const [one, two] = [fixture.cloud.addVolume(), fixture.cloud.addVolume()];
    const other = {
      ak: "ANOTHERACCESSKEY0001",
      sk: "another-secret-key-of-another-agency",
      securityToken: "another-token-1",
    };
    const failed = await fixture.invoke(apig({ snapshot: { volume_id: one.id } }, { "idempotency-key": "k" }), {
      requestId: "first",
      credentials: other,
    });
    expect(failed.result.statusCode).toBe(502);
    fixture.cloud.addCredentials({ ...other, token: "another-user-token" });
    const misconfigured = await fixture.invoke(apig({ snapshot: { volume_id: one.id } }), {
      requestId: "second",
      variables: { EVS_LIMITS: "old" },
    });
    expect(misconfigured.result.statusCode).toBe(500);
    const good = await fixture.invoke(apig({ snapshot: { volume_id: two.id } }), {
      requestId: "third",
      credentials: other,
    });
    expect(good.result.statusCode).toBe(202);
    expect(fixture.records("first").map(({ outcome }) => outcome)).toEqual(["failed", "failed"]);
    expect(fixture.records("second").map(({ outcome }) => outcome)).toEqual(["failed"]);
    expect(fixture.records("third")).toMatchObject([
      { outcome: "accepted", resource_id: two.id, attempts: 1 },
      { outcome: "done", outcomes: { accepted: 1 } },
    ]);
    const last = fixture.lines.slice(-2).join("\n") + JSON.stringify(good.result);
    for (const trace of [one.id, "first", "second", "old", "AccessDenied"]) expect(last).not.toContain(trace);
    expect(fixture.cloud.snapshots()).toHaveLength(1);
  });

  test("create-snapshot keeps the records, responses and reports of simultaneous invocations apart", async () => {
    const fixture = await warm(SNAPSHOT, { latencyMs: 1 });
    const disks = Array.from({ length: 20 }, () => fixture.cloud.addVolume().id);
    const responses = await Promise.all(
      disks.map(async (disk, index) => {
        // Some invocations start while others wait for the cloud.
        for (let turns = index; turns > 0; turns -= 1) await turn();
        const fields = index % 4 === 3 ? { nonsense: index } : { name: `of-${index}` };
        return fixture.invoke(apig({ snapshot: { volume_id: disk, ...fields } }), { requestId: `r-${index}` });
      }),
    );
    for (const [index, { result }] of responses.entries()) {
      const rejected = index % 4 === 3;
      expect(result.statusCode).toBe(rejected ? 400 : 202);
      expect(result.headers["x-request-id"]).toBe(`r-${index}`);
      expect(fixture.records(`r-${index}`)).toMatchObject(
        rejected
          ? [{ outcome: "rejected" }, { outcomes: { rejected: 1 } }]
          : [{ outcome: "accepted", resource_id: disks[index], name: `of-${index}` }, { outcomes: { accepted: 1 } }],
      );
    }
    expect(
      fixture.cloud
        .snapshots()
        .map(({ volume_id, name }) => `${disks.indexOf(String(volume_id))} ${name}`)
        .sort(),
    ).toEqual(disks.flatMap((_, index) => (index % 4 === 3 ? [] : [`${index} of-${index}`])).sort());
    const reports = fixture.cloud.requests.filter(({ operation }) => operation === "lts.reportLogs");
    for (const { body } of reports) {
      const ids = (body as { contents: string[] }).contents.map((line) => JSON.parse(line).request_id);
      expect(new Set(ids).size).toBe(1);
    }
    expect(fixture.cloud.logs).toHaveLength(40);
  });

  test("create-snapshot does not return a snapshot of one project to a simultaneous caller of another project", async () => {
    const fixture = await warm(SNAPSHOT, { latencyMs: 1 });
    const disk = fixture.cloud.addVolume().id;
    const event = apig({ snapshot: { volume_id: disk } }, { "idempotency-key": "k" });
    const [mine, theirs] = await Promise.all([
      fixture.invoke(event, { requestId: "mine" }),
      fixture.invoke(event, { requestId: "theirs", variables: { PROJECT_ID: "fedcba9876543210fedcba9876543210" } }),
    ]);
    expect(mine.result.statusCode).toBe(202);
    expect(theirs.result.statusCode).toBe(502);
    expect(errorOf(theirs).reason).toBe("AccessDenied");
  });
});

/** Tests the records of the create functions on stdout and in the logging topic. */
import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { CREATES, createFixture, SNAPSHOT } from "../support/creates.ts";
import { apig, createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FIELDS_OF_OTHERS = ["event_time", "deployment_id", "rule", "detail"];

describe.each(CREATES)("$name", (create) => {
  const { kind, name } = create;
  const head = (at: string, trigger = "http") => ({
    version: 1,
    time: at,
    function: name,
    request_id: "r-1",
    trigger,
  });
  const hasJob = create.operation.startsWith("evs.createS") && kind !== "snapshot";

  test(`${name} writes the record of a new snapshot and the record of the run to stdout and to the logging topic`, async () => {
    const fixture = await createFixture(create);
    const { records } = await fixture.post({ name: "snap-001" }, {}, { requestId: "r-1" });
    const [made] = fixture.cloud.snapshots(kind);
    expect(records).toStrictEqual([
      {
        ...head("2026-11-21T02:00:00.000Z"),
        level: "info",
        action: "create",
        kind,
        resource_id: fixture.resourceId,
        name: "snap-001",
        policy: name,
        outcome: "accepted",
        snapshot_id: made?.id,
        ...(hasJob ? { job_id: expect.stringMatching(/./) } : {}),
        attempts: 1,
        duration_ms: 0,
      },
      {
        ...head("2026-11-21T02:00:00.000Z"),
        level: "info",
        action: "run",
        outcome: "done",
        outcomes: { accepted: 1 },
        duration_ms: 0,
      },
    ]);
    expect(Object.keys(records[0]).slice(0, 6)).toEqual([
      "version",
      "time",
      "level",
      "function",
      "request_id",
      "trigger",
    ]);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
    expect(fixture.cloud.lostLogs).toEqual([]);
    expect(fixture.cloud.count("lts.reportLogs")).toBe(1);
  });

  test(`${name} writes a record without a job and without attempts for an existing snapshot`, async () => {
    const fixture = await createFixture(create);
    const post = () => fixture.post({}, { "idempotency-key": "k" }, { requestId: "r-1" });
    await post();
    fixture.clock.advance(90_000);
    const { records } = await post();
    expect(records).toMatchObject([
      { ...head("2026-11-21T02:01:30.000Z"), outcome: "existing", attempts: 0, snapshot_id: expect.stringMatching(ID) },
      { action: "run", outcome: "done", outcomes: { existing: 1 } },
    ]);
    expect(records[0]).not.toHaveProperty("job_id");
    expect(records[0].name).toBe(fixture.cloud.snapshots(kind)[0]?.name);
  });

  test(`${name} writes the reason, the cloud's code, message, status and request id, and the duration of a failed create`, async () => {
    const fixture = await createFixture(create);
    const body = { error: { code: "EVS.2144", message: "The account is frozen." } };
    fixture.cloud.fault({ operation: create.operation, nth: 1 }, { type: "status", status: 500 });
    fixture.cloud.fault({ operation: create.operation, nth: 2 }, { type: "status", status: 403, body });
    const { records } = await fixture.direct(undefined, { requestId: "r-1" });
    const refused = fixture.cloud.requests.find(({ status }) => status === 403);
    const error = {
      reason: "AccountSuspended",
      code: "EVS.2144",
      message: expect.stringMatching(
        /^POST .*: 403 EVS\.2144: The account is frozen\. The account is frozen or suspended: /,
      ),
      status: 403,
      request_id: refused?.requestId,
    };
    // The function waits 6 s until a list must show the snapshot of the first, ambiguous response.
    const at = head("2026-11-21T02:00:06.000Z", "direct");
    expect(records).toMatchObject([
      { ...at, level: "error", action: "create", outcome: "failed", attempts: 2, duration_ms: 6_000, error },
      { ...at, level: "error", action: "run", outcome: "failed", outcomes: { failed: 1 }, duration_ms: 6_000, error },
    ]);
    expect(records[0]).not.toHaveProperty("snapshot_id");
  });

  test(`${name} writes a record of an invalid request without fields of the cloud`, async () => {
    const fixture = await createFixture(create);
    const { records } = await fixture.post({ nonsense: true }, {}, { requestId: "r-1" });
    const error = {
      reason: "InvalidRequest",
      message: expect.stringContaining(`${create.envelope}.nonsense: unknown field. Allowed: `),
    };
    expect(records).toStrictEqual([
      {
        ...head(START.replace("Z", ".000Z")),
        level: "error",
        action: "create",
        kind,
        outcome: "rejected",
        error,
        duration_ms: 0,
      },
      {
        ...head(START.replace("Z", ".000Z")),
        level: "error",
        action: "run",
        outcome: "failed",
        outcomes: { rejected: 1 },
        error,
        duration_ms: 0,
      },
    ]);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
  });

  test(`${name} omits fields that do not apply to a record`, async () => {
    const fixture = await createFixture(create);
    for (const fields of [{}, { nonsense: 1 }]) {
      for (const record of (await fixture.post(fields)).records) {
        for (const field of FIELDS_OF_OTHERS) expect(record).not.toHaveProperty(field);
        expect(JSON.stringify(record)).not.toContain(":null");
      }
    }
  });
});

test("create-snapshot delivers records with their time and labels to the logging topic", async () => {
  const fixture = await createFixture(SNAPSHOT);
  fixture.clock.advance(1_234);
  await fixture.post();
  expect(fixture.cloud.logs).toMatchObject([
    {
      group: "7a1d3b52-6c0e-4f7b-9d58-2e4f60718293",
      stream: "c5e8f0a4-1b2d-4c3e-8f90-a1b2c3d4e5f6",
      labels: { source: "snapshot-functions" },
      log_time_ns: String(BigInt(Date.parse(START) + 1_234) * 1_000_000n),
    },
    { labels: { source: "snapshot-functions" } },
  ]);
});

test("create-snapshot writes its records to stdout without a warning if no logging topic is configured", async () => {
  const none = { LTS_ENDPOINT: undefined, LTS_LOG_GROUP_ID: undefined, LTS_LOG_STREAM_ID: undefined };
  const fixture = await createFixture(SNAPSHOT, { variables: none });
  const { records, warnings } = await fixture.post();
  expect(records).toHaveLength(2);
  expect(warnings).toEqual([]);
  expect(fixture.cloud.count(/^lts/)).toBe(0);
});

describe("a cluster snapshot whose description leaves no room for the marker", () => {
  const made = async (characters: number) => {
    const environment = await createTestEnvironment();
    const cluster_id = environment.cloud.addCluster().id;
    const snapshot = { name: "before-move", cluster_id, description: "x".repeat(characters) };
    const { result, records } = await environment.invoke(createClusterSnapshot, apig({ snapshot }));
    expect(result.statusCode).toBe(200);
    environment.clock.advance(60 * 60_000);
    const event = timerEvent({}, new Date(environment.clock.now()).toISOString());
    const verified = await environment.invoke(verifySnapshots, event);
    return { run: records.at(-1), verified: verified.result.outcomes };
  };

  test("create-cluster-snapshot warns that a snapshot without a marker is neither verified nor pruned", async () => {
    const { run, verified } = await made(142);
    expect(verified).toEqual({});
    expect(run).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(run.detail).toMatch(/leaves no room for the marker.*verify-snapshots says nothing.*up to 141 characters/);
  });

  test("verify-snapshots verifies a cluster snapshot whose description leaves just enough room for the marker", async () => {
    const { run, verified } = await made(141);
    expect(verified).toEqual({ available: 1 });
    expect(run).not.toHaveProperty("detail");
  });
});

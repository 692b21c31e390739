/** Tests the records that the create functions write to stdout and deliver to LTS. */
import { describe, expect, test } from "vitest";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { WITHOUT_TOPIC } from "../support/common.ts";
import { byName, CLUSTER, CREATES, createFixture, SNAPSHOT } from "../support/creates.ts";
import { START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FIELDS_OF_OTHER_FUNCTIONS = ["event_time", "deployment_id", "rule", "detail"];

describe.each(byName(CREATES))("%s", (_name, create) => {
  const { kind, name } = create;
  const commonFields = (time = "2026-11-21T02:00:00.000Z", trigger = "http") => ({
    version: 1,
    time,
    function: name,
    request_id: "r-1",
    trigger,
  });
  const hasJob = ["standard-snapshot", "snapshot-group"].includes(kind);

  test(`${name} writes a snapshot record and a run record to stdout, and delivers both records to LTS`, async () => {
    const fixture = await createFixture(create);
    const { records } = await fixture.post({ name: "snap-001" }, {}, { requestId: "r-1" });
    expect(records).toStrictEqual([
      {
        ...commonFields(),
        level: "info",
        action: "create",
        kind,
        resource_id: fixture.resourceId,
        name: "snap-001",
        policy: name,
        outcome: "accepted",
        snapshot_id: fixture.snapshots()[0]?.id,
        ...(hasJob ? { job_id: expect.stringMatching(/./) } : {}),
        attempts: 1,
        duration_ms: 0,
      },
      { ...commonFields(), level: "info", action: "run", outcome: "done", outcomes: { accepted: 1 }, duration_ms: 0 },
    ]);
    const firstFields = ["version", "time", "level", "function", "request_id", "trigger"];
    expect(Object.keys(records[0]).slice(0, 6)).toEqual(firstFields);
    expect(fixture.deliveredRecords()).toEqual(records);
    expect(fixture.cloud.lostLogs).toEqual([]);
    expect(fixture.cloud.count("lts.reportLogs")).toBe(1);
  });

  test(`${name} writes a record with the value 0 in the field "attempts" and without a job id if the snapshot already exists`, async () => {
    const fixture = await createFixture(create);
    await fixture.postWithKey({}, { requestId: "r-1" });
    fixture.clock.advance(90_000);
    const { records } = await fixture.postWithKey({}, { requestId: "r-1" });
    const snapshot = { outcome: "existing", attempts: 0, snapshot_id: expect.stringMatching(UUID) };
    expect(records).toMatchObject([
      { ...commonFields("2026-11-21T02:01:30.000Z"), ...snapshot },
      { action: "run", outcome: "done", outcomes: { existing: 1 } },
    ]);
    expect(records[0]).not.toHaveProperty("job_id");
    expect(records[0].name).toBe(fixture.snapshots()[0]?.name);
  });

  test(`${name} writes a failed record that contains the error response of the service, the number of attempts and the duration`, async () => {
    const fixture = await createFixture(create);
    const body = { error: { code: "EVS.2144", message: "The account is frozen." } };
    fixture.failCreate({ type: "status", status: 500 }, { nth: 1 });
    fixture.failCreate({ type: "status", status: 403, body }, { nth: 2 });
    const { records } = await fixture.direct(undefined, { requestId: "r-1" });
    const error = {
      reason: "AccountSuspended",
      code: "EVS.2144",
      message: expect.stringMatching(
        /^POST .*: 403 EVS\.2144: The account is frozen\. The account is frozen or suspended, /,
      ),
      status: 403,
      request_id: fixture.cloud.requests.find(({ status }) => status === 403)?.requestId,
    };
    // A list response may omit a new snapshot for several seconds, so the function waits 6 s after the ambiguous 500 response.
    const fields = { ...commonFields("2026-11-21T02:00:06.000Z", "direct"), level: "error", outcome: "failed" };
    expect(records).toMatchObject([
      { ...fields, action: "create", attempts: 2, duration_ms: 6_000, error },
      { ...fields, action: "run", outcomes: { failed: 1 }, duration_ms: 6_000, error },
    ]);
    expect(records[0]).not.toHaveProperty("snapshot_id");
  });

  test(`${name} writes and delivers a rejected record without a resource id if the request is invalid`, async () => {
    const fixture = await createFixture(create);
    const { records } = await fixture.post({ nonsense: true }, {}, { requestId: "r-1" });
    const message = expect.stringContaining(`${create.envelope}.nonsense: unknown field. Allowed: `);
    const fields = {
      ...commonFields(),
      level: "error",
      error: { reason: "InvalidRequest", message },
      duration_ms: 0,
    };
    expect(records).toStrictEqual([
      { ...fields, action: "create", kind, outcome: "rejected" },
      { ...fields, action: "run", outcome: "failed", outcomes: { rejected: 1 } },
    ]);
    expect(fixture.deliveredRecords()).toEqual(records);
  });

  test(`${name} writes no fields of other functions and no null values to its records`, async () => {
    const fixture = await createFixture(create);
    for (const fields of [{}, { nonsense: 1 }]) {
      for (const record of (await fixture.post(fields)).records) {
        for (const field of FIELDS_OF_OTHER_FUNCTIONS) expect(record).not.toHaveProperty(field);
        expect(JSON.stringify(record)).not.toContain(":null");
      }
    }
  });
});

test('create-snapshot delivers its records to the configured LTS stream with a timestamp in nanoseconds and the LTS label "source"', async () => {
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

test("create-snapshot writes its records to stdout without a warning if no LTS stream is configured", async () => {
  const fixture = await createFixture(SNAPSHOT, { variables: WITHOUT_TOPIC });
  const { records, warnings } = await fixture.post();
  expect(records).toHaveLength(2);
  expect(warnings).toEqual([]);
  expect(fixture.cloud.count(/^lts/)).toBe(0);
});

describe("long descriptions of cluster snapshots", () => {
  /** Creates a cluster snapshot whose description has this number of characters, and runs verify-snapshots an hour later. */
  const createAndVerify = async (characters: number) => {
    const fixture = await createFixture(CLUSTER);
    const { result, records } = await fixture.post({ description: "x".repeat(characters) });
    expect(result.statusCode).toBe(200);
    fixture.clock.advance(60 * 60_000);
    const event = timerEvent({}, new Date(fixture.clock.now()).toISOString());
    const verification = await fixture.invoke(verifySnapshots, event);
    return { run: records.at(-1), verified: verification.result.outcomes };
  };

  test("if a description of 142 characters leaves no room for the marker, create-cluster-snapshot warns that verify-snapshots ignores the snapshot", async () => {
    const { run, verified } = await createAndVerify(142);
    expect(verified).toEqual({});
    expect(run).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(run.detail).toMatch(/leaves no room for the labels.*verify-snapshots ignores it.*at most 141 characters/);
  });

  test("verify-snapshots reports a cluster snapshot with a description of 141 characters, which leaves enough room for the marker", async () => {
    const { run, verified } = await createAndVerify(141);
    expect(verified).toEqual({ available: 1 });
    expect(run).not.toHaveProperty("detail");
  });
});

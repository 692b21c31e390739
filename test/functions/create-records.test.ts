/** Tests the records of the create functions on stdout and in the logging topic, and the warnings on stderr. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { CREATES, type Create, createFixture, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { apig, createTestEnvironment, errorOf, outcomes, START, timerEvent } from "../support/environment.ts";
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
        /^POST .*: 403 EVS\.2144: The account is frozen\. The account is frozen or suspended, /,
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

describe("a logging topic that does not accept the records", () => {
  const code = (errorCode: string) => JSON.stringify({ errorCode, error_msg: "?", result: null });
  const TROUBLES: [what: string, fault: Fault, reason: string][] = [
    ["responds 500", { type: "status", status: 500 }, "CloudError"],
    ["responds 400", { type: "status", status: 400 }, "InvalidRequest"],
    ["responds 403", { type: "status", status: 403 }, "AccessDenied"],
    ["is throttled", { type: "throttle", retryAfter: 60 }, "Throttled"],
    ["does not respond", { type: "hang", after: false }, "Unreachable"],
    ["resets the connection", { type: "reset", after: false }, "Unreachable"],
    ["responds with a redirect", { type: "redirect", location: "https://example.com" }, "BadResponse"],
    ["responds with an HTML page", { type: "notJson", after: false, html: true }, "BadResponse"],
    ["responds with an empty body", { type: "emptyBody", after: false }, "BadResponse"],
    [
      "responds 200 with another code",
      { type: "answer", status: 200, body: code("SVCSTG.ALS.200.400") },
      "BadResponse",
    ],
    [
      "responds 200 with a code that contains the code of success",
      { type: "answer", status: 200, body: code("x.200.200.1") },
      "BadResponse",
    ],
    [
      "responds 200 with the code of a failure",
      { type: "answer", status: 200, body: code("SVCSTG.ALS.403.105") },
      "BadResponse",
    ],
    [
      "responds 200 with the code of success in an array",
      { type: "answer", status: 200, body: JSON.stringify({ errorCode: ["SVCSTG.ALS.200.200"] }) },
      "BadResponse",
    ],
    ["responds 202", { type: "answer", status: 202, body: code("SVCSTG.ALS.200.200") }, "BadResponse"],
  ];

  test.each(TROUBLES)(
    "create-standard-snapshot responds as usual and warns on stderr if the logging topic %s",
    async (_what, fault, reason) => {
      const fixture = await createFixture(STANDARD);
      fixture.cloud.fault({ operation: "lts.reportLogs" }, fault);
      const before = fixture.clock.now();
      const response = await fixture.post({}, {}, { requestId: "r-1" });
      expect(response.result.statusCode).toBe(202);
      expect(response.result.headers["x-snapshot-outcome"]).toBe("accepted");
      expect(fixture.cloud.snapshots("standard-snapshot")).toHaveLength(1);
      expect(outcomes(response)).toEqual(["create accepted", "run done"]);
      expect(response.warnings).toHaveLength(1);
      const warning = JSON.parse(String(response.warnings[0]));
      expect(warning).toMatchObject({ level: "error", function: "create-standard-snapshot", request_id: "r-1" });
      expect(warning.reason).toBe(reason);
      expect(warning.message).toMatch(/^The logging topic did not accept 2 of 2 records, which are on stdout: /);
      expect(fixture.clock.now() - before).toBeLessThanOrEqual(2_000);
      expect(fixture.cloud.logs).toEqual([]);
    },
  );

  test("create-standard-snapshot reports its own failure if the logging topic fails too", async () => {
    const fixture = await createFixture(STANDARD, { variables: { LTS_LOG_STREAM_ID: "another-stream" } });
    const response = await fixture.post({ volume_id: "no id" });
    expect([response.result.statusCode, errorOf(response).reason]).toEqual([400, "InvalidRequest"]);
    expect(response.warnings.join()).toContain("The log stream does not existed");
  });

  test("create-standard-snapshot repeats a report whose connection was reset", async () => {
    for (const after of [true, false]) {
      const fixture = await createFixture(STANDARD);
      fixture.cloud.fault({ operation: "lts.reportLogs", nth: 1 }, { type: "reset", after });
      const { warnings, records } = await fixture.post();
      expect(warnings).toEqual([]);
      expect(fixture.cloud.logs.map(({ line }) => line).slice(-2)).toEqual(records);
    }
  });

  test("create-standard-snapshot delivers its records within the reserved time if its create never gets a response", async () => {
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: /^evs/ }, { type: "hang", after: false });
    const { records, warnings } = await fixture.post({}, {}, { remainingMs: 20_000 });
    expect(warnings).toEqual([]);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
    expect(fixture.clock.now() - Date.parse(START)).toBeLessThanOrEqual(20_000);
  });
});

describe("a record that the logging topic rejects permanently", () => {
  const refused: Fault = { type: "status", status: 400, body: { errorCode: "SVCSTG.ALS.400.400", error_msg: "no" } };

  test("scheduled-snapshots delivers every other record, reports that the topic failed, and warns how many records are missing", async () => {
    const environment = await createTestEnvironment();
    const disks = Array.from({ length: 9 }, () => environment.cloud.addVolume().id);
    const [poison = ""] = disks.slice(4);
    environment.cloud.fault({ operation: "lts.reportLogs", resource: poison }, refused);
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", volume_ids: disks }] };
    const { result, records, warnings } = await environment.invoke(scheduledSnapshots, timerEvent(policy));
    expect(result).toMatchObject({ targets: 9, outcomes: { accepted: 9 }, topic: "failed" });
    expect(records).toHaveLength(10);
    expect(environment.cloud.logs.map(({ line }) => line)).toEqual(
      records.filter(({ resource_id }) => resource_id !== poison),
    );
    expect(warnings).toHaveLength(1);
    expect(JSON.parse(String(warnings[0]))).toMatchObject({
      level: "error",
      reason: "InvalidRequest",
      message: expect.stringMatching(
        /^The logging topic did not accept 1 of 10 records, which are on stdout: .*400 SVCSTG\.ALS\.400\.400: no\. /,
      ),
    });
  });

  test("create-standard-snapshot responds as usual and delivers the record of its run if the topic rejects the other record", async () => {
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: "lts.reportLogs", resource: String(fixture.resource.volume_id) }, refused);
    const response = await fixture.post();
    expect(response.result.statusCode).toBe(202);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual([response.records.at(-1)]);
    expect(response.warnings.join()).toContain("did not accept 1 of 2 records");
  });
});

describe("responses of the cloud with strings of 1 MB", () => {
  const MB = "x".repeat(1024 * 1024);

  test.each<[string, Fault]>([
    ["code and message", { type: "status", status: 400, body: { error: { code: MB, message: MB } } }],
    [
      "control characters",
      { type: "status", status: 400, body: { error: { code: "E", message: "\u0001".repeat(9e5) } } },
    ],
  ])(
    "create-standard-snapshot writes and delivers records of at most 16 KB after an error with 1 MB of %s",
    async (_what, fault) => {
      const fixture = await createFixture(STANDARD);
      fixture.cloud.fault({ operation: STANDARD.operation }, fault);
      const { records, warnings } = await fixture.post();
      expect(records).toMatchObject([{ outcome: "failed" }, { action: "run", outcome: "failed" }]);
      for (const record of records) expect(JSON.stringify(record).length).toBeLessThanOrEqual(16 * 1024);
      expect(warnings).toEqual([]);
      expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
    },
  );

  test("create-standard-snapshot throws an error of at most 64 KB after an error with a code and a message of 1 MB", async () => {
    const fixture = await createFixture(STANDARD);
    const body = { error: { code: MB, message: MB } };
    fixture.cloud.fault({ operation: STANDARD.operation }, { type: "status", status: 400, body });
    const { error } = await fixture.direct();
    expect(error).toMatchObject({ reason: "InvalidRequest", status: 400 });
    for (const text of [error?.message, error?.stack, JSON.stringify({ ...error })]) {
      expect(String(text).length).toBeLessThanOrEqual(66 * 1024);
    }
  });

  test("create-standard-snapshot writes records of at most 16 KB for a snapshot id of 1 MB", async () => {
    const fixture = await createFixture(STANDARD);
    const body = JSON.stringify({ snapshot: { id: MB, job_id: MB }, job_id: MB, snapshot_id: MB });
    fixture.cloud.fault({ operation: STANDARD.operation }, { type: "answer", status: 202, body });
    const { records, warnings } = await fixture.post();
    for (const record of records) expect(JSON.stringify(record).length).toBeLessThanOrEqual(16 * 1024);
    expect(warnings).toEqual([]);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
  });
});

describe("control characters that the cloud sends", () => {
  const text = "a\u2028b\u0085c\u007fd\u202ee\u200bf\u001b[31mg\nh";
  const RAW = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

  test("create-standard-snapshot escapes control characters of the cloud in records, warnings, responses and errors", async () => {
    const fault: Fault = { type: "status", status: 400, body: { error: { code: text, message: text } } };
    const lines: string[] = [];
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: STANDARD.operation }, fault);
    fixture.cloud.fault({ operation: "lts.reportLogs" }, { ...fault, status: 403 });
    const handler = STANDARD.factory({
      ...fixture.runtime,
      print: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
    });
    const posted = await fixture.invoke(() => handler, apig(fixture.body()));
    const direct = await fixture.invoke(() => handler, fixture.body());
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).not.toMatch(RAW);
    expect(JSON.parse(String(lines[0])).error).toMatchObject({ code: text, message: expect.stringContaining(text) });
    expect(posted.result.body).not.toMatch(RAW);
    const record = JSON.parse(String(lines[0])).error;
    expect(JSON.parse(posted.result.body).error).toMatchObject({ code: text, message: record.message });
    expect(direct.error?.message).not.toMatch(RAW);
    expect(direct.error?.message).toContain("a\\u2028b\\u0085c\\u007fd\\u202ee\\u200bf\\u001b[31mg\\u000ah");
  });

  test("verify-snapshots escapes control characters in the name of a snapshot, so the parsed record has the original name", async () => {
    const environment = await createTestEnvironment();
    const name = `m\u202egnp.${text}`;
    const labels = { "managed-by": "snapshot-functions", policy: "nightly", key: "0".repeat(32), content: "00000000" };
    environment.cloud.addSnapshot({
      kind: "snapshot",
      volumeId: environment.cloud.addVolume().id,
      name,
      createdAt: environment.clock.now() - 3_600_000,
      metadata: labels,
    });
    const lines: string[] = [];
    const handler = verifySnapshots({ ...environment.runtime, print: (line) => void lines.push(line) });
    await environment.invoke(() => handler, timerEvent({}));
    for (const line of lines) expect(line).not.toMatch(RAW);
    expect(JSON.parse(String(lines[0]))).toMatchObject({ action: "verify", name });
  });
});

test("create-snapshot writes its records to stdout without a warning if no logging topic is configured", async () => {
  const none = { LTS_ENDPOINT: undefined, LTS_LOG_GROUP_ID: undefined, LTS_LOG_STREAM_ID: undefined };
  const fixture = await createFixture(SNAPSHOT, { variables: none });
  const { records, warnings } = await fixture.post();
  expect(records).toHaveLength(2);
  expect(warnings).toEqual([]);
  expect(fixture.cloud.count(/^lts/)).toBe(0);
});

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
    expect(run.detail).toMatch(/leaves no room for the labels.*verify-snapshots ignores it.*at most 141 characters/);
  });

  test("verify-snapshots verifies a cluster snapshot whose description leaves just enough room for the marker", async () => {
    const { run, verified } = await made(141);
    expect(verified).toEqual({ available: 1 });
    expect(run).not.toHaveProperty("detail");
  });
});

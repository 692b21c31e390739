/** What an operator reads afterwards: on stdout, in the logging topic, on stderr. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import {
  CREATES,
  type Create,
  errorOf,
  onTheSitesDay,
  outcomes,
  SNAPSHOT,
  STANDARD,
  stage,
} from "../support/creates.ts";
import { apig, createTestEnvironment, START, timerEvent } from "../support/environment.ts";

onTheSitesDay();

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NOTHING_TO_SAY = ["event_time", "deployment_id", "rule", "detail"];

describe.each(CREATES)("$name", (create) => {
  const { kind, name } = create;
  const head = (at: string, trigger = "http") => ({
    version: 1,
    time: at,
    function: name,
    request_id: "r-1",
    trigger,
  });
  const v5 = create.operation.startsWith("evs.createS") && kind !== "snapshot";

  test("a snapshot that was taken: its record, then the run's; the same on stdout and in the topic", async () => {
    const site = await stage(create);
    const { records } = await site.post({ name: "snap-001" }, {}, { requestId: "r-1" });
    const [made] = site.cloud.snapshots(kind);
    const { resource } = site;
    expect(records).toStrictEqual([
      {
        ...head("2026-11-21T02:00:00.000Z"),
        level: "info",
        action: "create",
        kind,
        resource_id: resource.volume_id ?? resource.server_id ?? resource.cluster_id,
        name: "snap-001",
        policy: name,
        outcome: "accepted",
        snapshot_id: made?.id,
        ...(v5 ? { job_id: expect.stringMatching(/./) } : {}),
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
    expect(site.cloud.logs.map(({ line }) => line)).toEqual(records);
    expect(site.cloud.lostLogs).toEqual([]);
    expect(site.cloud.count("lts.reportLogs")).toBe(1);
  });

  test("one that was there already: no job, no attempt", async () => {
    const site = await stage(create);
    const post = () => site.post({}, { "idempotency-key": "k" }, { requestId: "r-1" });
    await post();
    site.clock.advance(90_000);
    const { records } = await post();
    expect(records).toMatchObject([
      { ...head("2026-11-21T02:01:30.000Z"), outcome: "existing", attempts: 0, snapshot_id: expect.stringMatching(ID) },
      { action: "run", outcome: "done", outcomes: { existing: 1 } },
    ]);
    expect(records[0]).not.toHaveProperty("job_id");
    expect(records[0].name).toBe(site.cloud.snapshots(kind)[0]?.name);
  });

  test("one that failed: the reason, the cloud's code, message, status and request id, and how long it took", async () => {
    const site = await stage(create);
    const body = { error: { code: "EVS.2144", message: "The account is frozen." } };
    site.cloud.fault({ operation: create.operation, nth: 1 }, { type: "status", status: 500 });
    site.cloud.fault({ operation: create.operation, nth: 2 }, { type: "status", status: 403, body });
    const { records } = await site.direct(undefined, { requestId: "r-1" });
    const refused = site.cloud.requests.find(({ status }) => status === 403);
    const error = {
      reason: "AccountSuspended",
      code: "EVS.2144",
      message: expect.stringMatching(
        /^POST .*: 403 EVS\.2144: The account is frozen\. The account is frozen or suspended: /,
      ),
      status: 403,
      request_id: refused?.requestId,
    };
    // 6 s until it is looked for what the first answer left open.
    const at = head("2026-11-21T02:00:06.000Z", "direct");
    expect(records).toMatchObject([
      { ...at, level: "error", action: "create", outcome: "failed", attempts: 2, duration_ms: 6_000, error },
      { ...at, level: "error", action: "run", outcome: "failed", outcomes: { failed: 1 }, duration_ms: 6_000, error },
    ]);
    expect(records[0]).not.toHaveProperty("snapshot_id");
  });

  test("input that was refused: what it would have been, and nothing of the cloud", async () => {
    const site = await stage(create);
    const { records } = await site.post({ nonsense: true }, {}, { requestId: "r-1" });
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
    expect(site.cloud.logs.map(({ line }) => line)).toEqual(records);
  });

  test("what does not apply is left out", async () => {
    const site = await stage(create);
    for (const fields of [{}, { nonsense: 1 }]) {
      for (const record of (await site.post(fields)).records) {
        for (const field of NOTHING_TO_SAY) expect(record).not.toHaveProperty(field);
        expect(JSON.stringify(record)).not.toContain(":null");
      }
    }
  });
});

test("the topic gets the lines with their time and labels", async () => {
  const site = await stage(SNAPSHOT);
  site.clock.advance(1_234);
  await site.post();
  expect(site.cloud.logs).toMatchObject([
    {
      group: "7a1d3b52-6c0e-4f7b-9d58-2e4f60718293",
      stream: "c5e8f0a4-1b2d-4c3e-8f90-a1b2c3d4e5f6",
      labels: { source: "snapshot-functions" },
      log_time_ns: String(BigInt(Date.parse(START) + 1_234) * 1_000_000n),
    },
    { labels: { source: "snapshot-functions" } },
  ]);
});

describe("a topic that does not take the records", () => {
  const code = (errorCode: string) => JSON.stringify({ errorCode, error_msg: "?", result: null });
  const TROUBLES: [what: string, fault: Fault, reason: string][] = [
    ["fails", { type: "status", status: 500 }, "CloudError"],
    ["refuses", { type: "status", status: 400 }, "InvalidRequest"],
    ["denies", { type: "status", status: 403 }, "AccessDenied"],
    ["is throttled", { type: "throttle", retryAfter: 60 }, "Throttled"],
    ["hangs", { type: "hang", after: false }, "Unreachable"],
    ["resets", { type: "reset", after: false }, "Unreachable"],
    ["redirects", { type: "redirect", location: "https://example.com" }, "BadResponse"],
    ["answers a page", { type: "notJson", after: false, html: true }, "BadResponse"],
    ["answers nothing", { type: "emptyBody", after: false }, "BadResponse"],
    ["answers 200 with another code", { type: "answer", status: 200, body: code("SVCSTG.ALS.200.400") }, "BadResponse"],
    [
      "answers 200 with a code that only contains it",
      { type: "answer", status: 200, body: code("x.200.200.1") },
      "BadResponse",
    ],
    ["answers 200 with a failure", { type: "answer", status: 200, body: code("SVCSTG.ALS.403.105") }, "BadResponse"],
    [
      "answers 200 with its code in an array",
      { type: "answer", status: 200, body: JSON.stringify({ errorCode: ["SVCSTG.ALS.200.200"] }) },
      "BadResponse",
    ],
    ["answers 202", { type: "answer", status: 202, body: code("SVCSTG.ALS.200.200") }, "BadResponse"],
  ];

  test.each(TROUBLES)("%s: one line on stderr; the work and the answer stand", async (_what, fault, reason) => {
    const site = await stage(STANDARD);
    site.cloud.fault({ operation: "lts.reportLogs" }, fault);
    const before = site.clock.now();
    const answered = await site.post({}, {}, { requestId: "r-1" });
    expect(answered.result.statusCode).toBe(202);
    expect(answered.result.headers["x-snapshot-outcome"]).toBe("accepted");
    expect(site.cloud.snapshots("standard-snapshot")).toHaveLength(1);
    expect(outcomes(answered)).toEqual(["create accepted", "run done"]);
    expect(answered.warnings).toHaveLength(1);
    const warning = JSON.parse(String(answered.warnings[0]));
    expect(warning).toMatchObject({ level: "error", function: "create-standard-snapshot", request_id: "r-1" });
    expect(warning.reason).toBe(reason);
    expect(warning.message).toMatch(/^The logging topic did not take 2 of 2 records, which are on stdout: /);
    expect(site.clock.now() - before).toBeLessThanOrEqual(2_000);
    expect(site.cloud.logs).toEqual([]);
  });

  test("does not hide a failure either", async () => {
    const site = await stage(STANDARD, { variables: { LTS_LOG_STREAM_ID: "another-stream" } });
    const answered = await site.post({ volume_id: "no id" });
    expect([answered.result.statusCode, errorOf(answered).reason]).toEqual([400, "InvalidRequest"]);
    expect(answered.warnings.join()).toContain("The log stream does not existed");
  });

  test("for a moment: the report is sent again", async () => {
    for (const after of [true, false]) {
      const site = await stage(STANDARD);
      site.cloud.fault({ operation: "lts.reportLogs", nth: 1 }, { type: "reset", after });
      const { warnings, records } = await site.post();
      expect(warnings).toEqual([]);
      expect(site.cloud.logs.map(({ line }) => line).slice(-2)).toEqual(records);
    }
  });

  test("and an invocation that has used up its time: the reserve is the topic's", async () => {
    const site = await stage(STANDARD);
    site.cloud.fault({ operation: /^evs/ }, { type: "hang", after: false });
    const { records, warnings } = await site.post({}, {}, { remainingMs: 20_000 });
    expect(warnings).toEqual([]);
    expect(site.cloud.logs.map(({ line }) => line)).toEqual(records);
    expect(site.clock.now() - Date.parse(START)).toBeLessThanOrEqual(20_000);
  });
});

describe("a record that the topic refuses for good", () => {
  const refused: Fault = { type: "status", status: 400, body: { errorCode: "SVCSTG.ALS.400.400", error_msg: "no" } };

  test("a scheduled run delivers every other record, answers that the topic failed, and warns how many it lost", async () => {
    const site = await createTestEnvironment();
    const disks = Array.from({ length: 9 }, () => site.cloud.addVolume().id);
    const [poison = ""] = disks.slice(4);
    site.cloud.fault({ operation: "lts.reportLogs", resource: poison }, refused);
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", volume_ids: disks }] };
    const { result, records, warnings } = await site.invoke(scheduledSnapshots, timerEvent(policy));
    expect(result).toMatchObject({ targets: 9, outcomes: { accepted: 9 }, topic: "failed" });
    expect(records).toHaveLength(10);
    expect(site.cloud.logs.map(({ line }) => line)).toEqual(
      records.filter(({ resource_id }) => resource_id !== poison),
    );
    expect(warnings).toHaveLength(1);
    expect(JSON.parse(String(warnings[0]))).toMatchObject({
      level: "error",
      reason: "InvalidRequest",
      message: expect.stringMatching(
        /^The logging topic did not take 1 of 10 records, which are on stdout: .*400 SVCSTG\.ALS\.400\.400: no\. /,
      ),
    });
  });

  test("a create over HTTP answers as always, and the record of its run is delivered", async () => {
    const site = await stage(STANDARD);
    site.cloud.fault({ operation: "lts.reportLogs", resource: String(site.resource.volume_id) }, refused);
    const answered = await site.post();
    expect(answered.result.statusCode).toBe(202);
    expect(site.cloud.logs.map(({ line }) => line)).toEqual([answered.records.at(-1)]);
    expect(answered.warnings.join()).toContain("did not take 1 of 2 records");
  });
});

describe("what the cloud answers with strings of 1 MB", () => {
  const MB = "x".repeat(1024 * 1024);

  test.each<[string, Fault]>([
    ["code and message", { type: "status", status: 400, body: { error: { code: MB, message: MB } } }],
    [
      "control characters",
      { type: "status", status: 400, body: { error: { code: "E", message: "\u0001".repeat(9e5) } } },
    ],
  ])(
    "a create writes records of at most 16 KB after an error with %s of that size, and delivers them",
    async (_what, fault) => {
      const site = await stage(STANDARD);
      site.cloud.fault({ operation: STANDARD.operation }, fault);
      const { records, warnings } = await site.post();
      expect(records).toMatchObject([{ outcome: "failed" }, { action: "run", outcome: "failed" }]);
      for (const record of records) expect(JSON.stringify(record).length).toBeLessThanOrEqual(16 * 1024);
      expect(warnings).toEqual([]);
      expect(site.cloud.logs.map(({ line }) => line)).toEqual(records);
    },
  );

  test("a direct create throws an error of at most 64 KB after an error with code and message of that size", async () => {
    const site = await stage(STANDARD);
    const body = { error: { code: MB, message: MB } };
    site.cloud.fault({ operation: STANDARD.operation }, { type: "status", status: 400, body });
    const { error } = await site.direct();
    expect(error).toMatchObject({ reason: "InvalidRequest", status: 400 });
    for (const text of [error?.message, error?.stack, JSON.stringify({ ...error })]) {
      expect(String(text).length).toBeLessThanOrEqual(66 * 1024);
    }
  });

  test("a create writes records of at most 16 KB for the id of a snapshot of that size", async () => {
    const site = await stage(STANDARD);
    const body = JSON.stringify({ snapshot: { id: MB, job_id: MB }, job_id: MB, snapshot_id: MB });
    site.cloud.fault({ operation: STANDARD.operation }, { type: "answer", status: 202, body });
    const { records, warnings } = await site.post();
    for (const record of records) expect(JSON.stringify(record).length).toBeLessThanOrEqual(16 * 1024);
    expect(warnings).toEqual([]);
    expect(site.cloud.logs.map(({ line }) => line)).toEqual(records);
  });
});

describe("control characters that the cloud sends", () => {
  const said = "a\u2028b\u0085c\u007fd\u202ee\u200bf\u001b[31mg\nh";
  const RAW = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

  test("records, the lines on stderr, the answer and the error of a create have them escaped", async () => {
    const fault: Fault = { type: "status", status: 400, body: { error: { code: said, message: said } } };
    const lines: string[] = [];
    const site = await stage(STANDARD);
    site.cloud.fault({ operation: STANDARD.operation }, fault);
    site.cloud.fault({ operation: "lts.reportLogs" }, { ...fault, status: 403 });
    const handler = STANDARD.factory({
      ...site.runtime,
      print: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
    });
    const posted = await site.invoke(() => handler, apig(site.body()));
    const direct = await site.invoke(() => handler, site.body());
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).not.toMatch(RAW);
    expect(JSON.parse(String(lines[0])).error).toMatchObject({ code: said, message: expect.stringContaining(said) });
    expect(posted.result.body).not.toMatch(RAW);
    const record = JSON.parse(String(lines[0])).error;
    expect(JSON.parse(posted.result.body).error).toMatchObject({ code: said, message: record.message });
    expect(direct.error?.message).not.toMatch(RAW);
    expect(direct.error?.message).toContain("a\\u2028b\\u0085c\\u007fd\\u202ee\\u200bf\\u001b[31mg\\u000ah");
  });

  test("verify writes the name of a snapshot escaped, and its JSON has the original name", async () => {
    const site = await createTestEnvironment();
    const name = `m\u202egnp.${said}`;
    const labels = { "managed-by": "snapshot-functions", policy: "nightly", key: "0".repeat(32), content: "00000000" };
    site.cloud.addSnapshot({
      kind: "snapshot",
      volumeId: site.cloud.addVolume().id,
      name,
      createdAt: site.clock.now() - 3_600_000,
      metadata: labels,
    });
    const lines: string[] = [];
    const handler = verifySnapshots({ ...site.runtime, print: (line) => void lines.push(line) });
    await site.invoke(() => handler, timerEvent({}));
    for (const line of lines) expect(line).not.toMatch(RAW);
    expect(JSON.parse(String(lines[0]))).toMatchObject({ action: "verify", name });
  });
});

test("without a topic the records are on stdout alone, and nobody complains", async () => {
  const none = { LTS_ENDPOINT: undefined, LTS_LOG_GROUP_ID: undefined, LTS_LOG_STREAM_ID: undefined };
  const site = await stage(SNAPSHOT, { variables: none });
  const { records, warnings } = await site.post();
  expect(records).toHaveLength(2);
  expect(warnings).toEqual([]);
  expect(site.cloud.count(/^lts/)).toBe(0);
});

describe("one warm instance", () => {
  /** One handler for all invocations, as on the platform; what it prints and warns is kept with the test. */
  async function warm(create: Create, options: Parameters<typeof createTestEnvironment>[0] = {}) {
    const site = await createTestEnvironment({ ...options });
    const lines: string[] = [];
    const handler = create.factory({ ...site.runtime, print: (line) => void lines.push(line) });
    const invoke = (event: unknown, how = {}) => site.invoke(() => handler, event, how);
    const records = (requestId: string) =>
      lines.map((line) => JSON.parse(line)).filter(({ request_id }) => request_id === requestId);
    return { ...site, invoke, lines, records };
  }

  test("nothing of an invocation is in the next one: key, credentials, project, variables, failure", async () => {
    const site = await warm(SNAPSHOT);
    const [one, two] = [site.cloud.addVolume(), site.cloud.addVolume()];
    const other = {
      ak: "ANOTHERACCESSKEY0001",
      sk: "another-secret-key-of-another-agency",
      securityToken: "another-token-1",
    };
    const failed = await site.invoke(apig({ snapshot: { volume_id: one.id } }, { "idempotency-key": "k" }), {
      requestId: "first",
      credentials: other,
    });
    expect(failed.result.statusCode).toBe(502);
    site.cloud.addCredentials({ ...other, token: "another-user-token" });
    const misconfigured = await site.invoke(apig({ snapshot: { volume_id: one.id } }), {
      requestId: "second",
      variables: { EVS_LIMITS: "old" },
    });
    expect(misconfigured.result.statusCode).toBe(500);
    const good = await site.invoke(apig({ snapshot: { volume_id: two.id } }), {
      requestId: "third",
      credentials: other,
    });
    expect(good.result.statusCode).toBe(202);
    expect(site.records("first").map(({ outcome }) => outcome)).toEqual(["failed", "failed"]);
    expect(site.records("second").map(({ outcome }) => outcome)).toEqual(["failed"]);
    expect(site.records("third")).toMatchObject([
      { outcome: "accepted", resource_id: two.id, attempts: 1 },
      { outcome: "done", outcomes: { accepted: 1 } },
    ]);
    const last = site.lines.slice(-2).join("\n") + JSON.stringify(good.result);
    for (const trace of [one.id, "first", "second", "old", "AccessDenied"]) expect(last).not.toContain(trace);
    expect(site.cloud.snapshots()).toHaveLength(1);
  });

  test("invocations at the same moment keep apart, each with its own records, answer and report", async () => {
    const site = await warm(SNAPSHOT, { latencyMs: 1 });
    const disks = Array.from({ length: 20 }, () => site.cloud.addVolume().id);
    const answers = await Promise.all(
      disks.map(async (disk, index) => {
        // Not in step: some begin while others wait for the cloud.
        for (let turns = index; turns > 0; turns -= 1) await turn();
        const fields = index % 4 === 3 ? { nonsense: index } : { name: `of-${index}` };
        return site.invoke(apig({ snapshot: { volume_id: disk, ...fields } }), { requestId: `r-${index}` });
      }),
    );
    for (const [index, { result }] of answers.entries()) {
      const rejected = index % 4 === 3;
      expect(result.statusCode).toBe(rejected ? 400 : 202);
      expect(result.headers["x-request-id"]).toBe(`r-${index}`);
      expect(site.records(`r-${index}`)).toMatchObject(
        rejected
          ? [{ outcome: "rejected" }, { outcomes: { rejected: 1 } }]
          : [{ outcome: "accepted", resource_id: disks[index], name: `of-${index}` }, { outcomes: { accepted: 1 } }],
      );
    }
    expect(
      site.cloud
        .snapshots()
        .map(({ volume_id, name }) => `${disks.indexOf(String(volume_id))} ${name}`)
        .sort(),
    ).toEqual(disks.flatMap((_, index) => (index % 4 === 3 ? [] : [`${index} of-${index}`])).sort());
    const reports = site.cloud.requests.filter(({ operation }) => operation === "lts.reportLogs");
    for (const { body } of reports) {
      const ids = (body as { contents: string[] }).contents.map((line) => JSON.parse(line).request_id);
      expect(new Set(ids).size).toBe(1);
    }
    expect(site.cloud.logs).toHaveLength(40);
  });

  test("what one caller's credentials did is not taken for another project's", async () => {
    const site = await warm(SNAPSHOT, { latencyMs: 1 });
    const disk = site.cloud.addVolume().id;
    const event = apig({ snapshot: { volume_id: disk } }, { "idempotency-key": "k" });
    const [mine, theirs] = await Promise.all([
      site.invoke(event, { requestId: "mine" }),
      site.invoke(event, { requestId: "theirs", variables: { PROJECT_ID: "fedcba9876543210fedcba9876543210" } }),
    ]);
    expect(mine.result.statusCode).toBe(202);
    expect(theirs.result.statusCode).toBe(502);
    expect(errorOf(theirs).reason).toBe("AccessDenied");
  });
});

describe("a cluster snapshot whose description leaves no room for the marker", () => {
  const made = async (characters: number) => {
    const site = await createTestEnvironment();
    const cluster_id = site.cloud.addCluster().id;
    const snapshot = { name: "before-move", cluster_id, description: "x".repeat(characters) };
    const { result, records } = await site.invoke(createClusterSnapshot, apig({ snapshot }));
    expect(result.statusCode).toBe(200);
    site.clock.advance(60 * 60_000);
    const event = timerEvent({}, new Date(site.clock.now()).toISOString());
    const verified = await site.invoke(verifySnapshots, event);
    return { run: records.at(-1), verified: verified.result.outcomes };
  };

  test("is taken; that it is neither verified nor pruned is said there and then, as nobody says it later", async () => {
    const { run, verified } = await made(142);
    expect(verified).toEqual({});
    expect(run).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(run.detail).toMatch(/leaves no room for the marker.*verify-snapshots says nothing.*up to 141 characters/);
  });

  test("is another with one character less: it is verified like all others", async () => {
    const { run, verified } = await made(141);
    expect(verified).toEqual({ available: 1 });
    expect(run).not.toHaveProperty("detail");
  });
});

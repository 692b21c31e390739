/** Everything that can go wrong, as the caller, the log and the cloud see it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import {
  CLUSTER,
  CREATES,
  type Create,
  creates,
  errorOf,
  GROUP,
  onTheSitesDay,
  outcomes,
  SNAPSHOT,
  STANDARD,
  stage,
} from "../support/creates.ts";
import { apig, type Invocation } from "../support/environment.ts";

onTheSitesDay();

type Stage = Awaited<ReturnType<typeof stage>>;

interface Failure {
  reason: Reason;
  what: string;
  create: Create;
  options?: Parameters<typeof stage>[1];
  how?: Invocation;
  arrange(site: Stage): void;
  status: number;
  /** The cloud's own, word for word; where it gave none, the code is the reason. */
  code?: string;
  message: string | RegExp;
  /** The cloud's status, in the record. */
  said?: number;
}

const answer = (status: number, body: unknown): Fault => ({ type: "answer", status, body: JSON.stringify(body) });
const NOWHERE = "http://127.0.0.1:1";
/** Matches what only the operator of the functions can change. */
const OPERATORS_OWN = /make_room|[A-Z]{2,}_[A-Z]{2,}|agency|prune-snapshots|\*_/;
const id = ({ resource }: Stage) => String(resource.volume_id ?? resource.server_id ?? resource.cluster_id);

const FAILURES: Failure[] = [
  {
    reason: "InvalidRequest",
    what: "what the cloud alone can know to be wrong",
    create: SNAPSHOT,
    arrange: (site) => site.cloud.setVolumeStatus(id(site), "error"),
    status: 400,
    code: "EVS.5400",
    message:
      /: Invalid volume: Volume .* current status is: error\. Must be in Available state\. Correct the request; /,
    said: 400,
  },
  {
    reason: "InvalidRequest",
    what: "OpenStack's badRequest",
    create: SNAPSHOT,
    options: { evsLimits: "classic" },
    arrange: (site) => site.cloud.setVolumeStatus(id(site), "error"),
    status: 400,
    code: "badRequest",
    message: /: Invalid volume: /,
    said: 400,
  },
  {
    reason: "Unsupported",
    what: "a region without standard snapshots",
    create: STANDARD,
    options: { withoutStandardSnapshots: true },
    arrange: () => {},
    status: 400,
    code: "APIGW.0101",
    message: "The API does not exist or has not been published in the environment",
    said: 404,
  },
  {
    reason: "Unsupported",
    what: "a region that takes no new legacy snapshots",
    create: SNAPSHOT,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: "evs.createSnapshot" },
        answer(400, { error: { code: "EVS.2099", message: "Creating legacy snapshots is not supported." } }),
      ),
    status: 400,
    code: "EVS.2099",
    message: "Creating legacy snapshots is not supported.",
    said: 400,
  },
  {
    reason: "NotFound",
    what: "a disk that is not there",
    create: SNAPSHOT,
    arrange: (site) => site.cloud.removeVolume(id(site)),
    status: 404,
    code: "EVS.5404",
    message: /: Volume .* could not be found\. The disk, server, cluster or snapshot does not exist /,
    said: 404,
  },
  {
    reason: "NotFound",
    what: "OpenStack's itemNotFound",
    create: SNAPSHOT,
    options: { evsLimits: "classic", variables: { EVS_LIMITS: "classic" } },
    arrange: (site) => site.cloud.removeVolume(id(site)),
    status: 404,
    code: "itemNotFound",
    message: /: Volume .* could not be found\. The disk, server, cluster or snapshot does not exist /,
    said: 404,
  },
  {
    reason: "NotFound",
    what: "a server that is not there",
    create: GROUP,
    arrange: (site) => site.cloud.removeServer(id(site)),
    status: 404,
    code: "EVS.5404",
    message: /: Server .* could not be found\. The disk, /,
    said: 404,
  },
  {
    reason: "NotFound",
    what: "a cluster that is not there, in DWS's doubled fields",
    create: CLUSTER,
    arrange: (site) => site.cloud.removeCluster(id(site)),
    status: 404,
    code: "DWS.0047",
    message: "Cluster does not exist.",
    said: 404,
  },
  {
    reason: "Conflict",
    what: "a name of DWS that somebody else has",
    create: CLUSTER,
    arrange: ({ cloud, resource }) =>
      cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cloud.addCluster().id, name: String(resource.name) }),
    status: 409,
    message: /^Expected a name that is free in this project; "snapshot-\d+" is the name of snapshot /,
  },
  {
    reason: "Conflict",
    what: "the cloud's own 409",
    create: STANDARD,
    arrange: ({ cloud }) =>
      cloud.fault({ operation: /create/ }, answer(409, { error: { code: "EVS.5409", message: "Already there." } })),
    status: 409,
    code: "EVS.5409",
    message: "Already there.",
    said: 409,
  },
  {
    reason: "Busy",
    what: "a disk that is being snapshotted for longer than a caller waits",
    create: STANDARD,
    options: { creationMs: 3_600_000 },
    arrange: (site) => {
      site.cloud.addSnapshot({ kind: "standard-snapshot", volumeId: id(site), status: "creating" });
    },
    status: 409,
    code: "EVS.2409",
    message: /: A snapshot of volume .* is being created\. The resource is occupied/,
    said: 409,
  },
  {
    reason: "Busy",
    what: "a cluster that is being resized",
    create: CLUSTER,
    arrange: (site) => site.cloud.setCluster(id(site), { taskStatus: "GROWING" }),
    status: 409,
    code: "DWS.7023",
    message: "Cluster status is not allowed to operation",
    said: 403,
  },
  {
    reason: "QuotaExceeded",
    what: "the eighth legacy snapshot of a disk",
    create: SNAPSHOT,
    arrange(site) {
      for (let made = 0; made < 7; made += 1) site.cloud.addSnapshot({ kind: "snapshot", volumeId: id(site) });
    },
    status: 413,
    code: "EVS.5413",
    message: "Insufficient snapshot quota.",
    said: 413,
  },
  {
    reason: "QuotaExceeded",
    what: "OpenStack's overLimit",
    create: SNAPSHOT,
    options: { evsLimits: "classic", snapshotQuota: 0 },
    arrange: () => {},
    status: 413,
    code: "overLimit",
    message: "Insufficient snapshot quota.",
    said: 413,
  },
  {
    reason: "Throttled",
    what: "an account that is throttled for longer than a caller waits",
    create: GROUP,
    arrange: ({ cloud }) => cloud.fault({ operation: /create/ }, { type: "throttle", window: "1 minute" }),
    status: 429,
    code: "APIGW.0308",
    message: "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute",
    said: 429,
  },
  {
    reason: "AccessDenied",
    what: "a key that ran out",
    create: CLUSTER,
    arrange: ({ cloud }) => cloud.expireCredentials(cloud.credentials.ak),
    status: 502,
    code: "APIGW.0301",
    message: "Incorrect IAM authentication information: token expired",
    said: 401,
  },
  {
    reason: "AccessDenied",
    what: "an agency without the right",
    create: STANDARD,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: /create/ },
        answer(403, { error: { code: "EVS.5403", message: "Policy doesn't allow evs:snapshots:create." } }),
      ),
    status: 502,
    code: "EVS.5403",
    message: "Policy doesn't allow evs:snapshots:create.",
    said: 403,
  },
  {
    reason: "AccountSuspended",
    what: "an account that is frozen",
    create: SNAPSHOT,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: /create/ },
        answer(403, { error: { code: "EVS.2144", message: "The account is frozen." } }),
      ),
    status: 502,
    code: "EVS.2144",
    message: "The account is frozen.",
    said: 403,
  },
  {
    reason: "CloudError",
    what: "a service that fails whenever it is asked",
    create: STANDARD,
    arrange: ({ cloud }) => cloud.fault({ operation: /^evs/ }, { type: "status", status: 503 }),
    status: 502,
    code: "EVS.5503",
    message: "Service unavailable.",
    said: 503,
  },
  {
    reason: "CloudError",
    what: "a service that fails at every create",
    create: CLUSTER,
    arrange: ({ cloud }) => cloud.fault({ operation: /create/ }, { type: "status", status: 500 }),
    status: 502,
    code: "DWS.9999",
    message: "Internal server error.",
    said: 500,
  },
  {
    reason: "CloudError",
    what: "a load balancer's page",
    create: GROUP,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: /list/ },
        { type: "status", status: 502, body: "<html><h1>502 Bad Gateway</h1></html>" },
      ),
    status: 502,
    message: /^GET \/v5\/.*\/snapshot-groups\/detail: 502 without a code: no message that could be read\. .*repeat/,
    said: 502,
  },
  {
    reason: "Unreachable",
    what: "nobody at the address",
    create: SNAPSHOT,
    options: { variables: { EVS_ENDPOINT: NOWHERE } },
    arrange: () => {},
    status: 504,
    message: /^GET \/v2\/.*\/cloudsnapshots\/detail: ECONNREFUSED/,
  },
  {
    reason: "BadResponse",
    what: "a page in place of the API",
    create: SNAPSHOT,
    arrange: ({ cloud }) => cloud.fault({ operation: /list/ }, { type: "notJson", after: false, html: true }),
    status: 502,
    message: /expected a JSON object with the 200, got "<html>/,
    said: 200,
  },
  {
    reason: "BadResponse",
    what: "a redirect, which would carry the token away",
    create: CLUSTER,
    arrange: ({ cloud }) => cloud.fault({ operation: /list/ }, { type: "redirect", location: "https://example.com/" }),
    status: 502,
    message: /got 307, a redirect, which is not followed\./,
    said: 307,
  },
  {
    reason: "OutcomeUnknown",
    what: "a create without an answer, and no time left to look",
    create: GROUP,
    how: { remainingMs: 8_000 },
    arrange: ({ cloud }) => cloud.fault({ operation: /create/ }, { type: "hang", after: false }),
    status: 504,
    message: /^POST \/v5\/.*\/snapshot-groups: no answer within \d+ ms.*could not be found out in time\./,
  },
  {
    reason: "DeadlineExceeded",
    what: "an invocation that began too late",
    create: STANDARD,
    how: { remainingMs: 2_000 },
    arrange: () => {},
    status: 504,
    message: /^GET \/v5\/.*: not sent, because the invocation's time has run out\.$/,
  },
  {
    reason: "Misconfigured",
    what: "a function without an agency",
    create: SNAPSHOT,
    how: { credentials: {} },
    arrange: () => {},
    status: 500,
    message: /^Expected credentials from the function's agency; there are none\./,
  },
];

test("every reason that a create function can end with is in these stories", () => {
  const told = new Set(FAILURES.map(({ reason }) => reason));
  // A snapshot's end is not waited for here.
  expect(Object.keys(REASONS).filter((reason) => !told.has(reason as Reason))).toEqual(["SnapshotFailed"]);
});

describe.each(FAILURES)("$reason: $what", ({ reason, create, options, how, arrange, status, code, message, said }) => {
  const open = async () => {
    const site = await stage(create, options);
    arrange(site);
    return { ...site, before: site.cloud.snapshots().length };
  };
  const misconfigured = reason === "Misconfigured";

  test("an HTTP error has the status of its reason and the record's message, with the cloud's own words", async () => {
    const site = await open();
    const answered = await site.post({}, {}, { requestId: "r-1", ...how });
    const { result, error, records } = answered;
    expect(error).toBeUndefined();
    expect(result).toStrictEqual({
      statusCode: status,
      headers: expect.objectContaining({ "content-type": "application/json", "x-request-id": "r-1" }),
      body: expect.any(String),
      isBase64Encoded: false,
    });
    expect(JSON.parse(result.body)).toStrictEqual({
      error: {
        code: code ?? reason,
        message: records[0].error.message,
        reason,
        request_id: "r-1",
      },
    });
    const text = JSON.parse(result.body).error.message;
    if (typeof message === "string") expect(text).toContain(message.replace(/\.$/, ""));
    else expect(text).toMatch(message);
    if (code !== undefined) expect(text).toContain(`${said} ${code}: `);
    // An HTTP caller can change none of these.
    if (!misconfigured) expect(text).not.toMatch(OPERATORS_OWN);
    expect(outcomes(answered)).toEqual(misconfigured ? ["run failed"] : ["create failed", "run failed"]);
    for (const record of records) {
      expect(record.error.message).toBe(text);
      expect(record).toMatchObject({ level: "error", error: { reason } });
      expect([record.error.code, record.error.status]).toEqual([code, said]);
    }
    // A support ticket needs the id of the cloud's own answer.
    const cloudId = records[0].error.request_id;
    if (said !== undefined && reason !== "BadResponse") {
      expect(site.cloud.requests.find(({ requestId }) => requestId === cloudId)?.status).toBe(said);
    }
    expect(site.cloud.snapshots()).toHaveLength(site.before);
    expect(site.cloud.refusedSignatures).toEqual([]);
  });

  test("invoked directly: an error whose message says all of it", async () => {
    const site = await open();
    const { result, error, records } = await site.direct(undefined, how);
    expect(result).toBeUndefined();
    expect(error?.name).toBe(reason);
    expect(error?.message).toBe(records[0].error.message);
    for (const part of [code, said].filter((one) => one !== undefined)) expect(error?.message).toContain(String(part));
    if (typeof message === "string") expect(error?.message).toContain(message.replace(/\.$/, ""));
    // The one thing that the platform shows says what to do.
    if (code !== undefined) expect(error?.message).toContain(REASONS[reason].advice);
    expect(site.cloud.snapshots()).toHaveLength(site.before);
  });
});

describe("waiting, while a caller waits along", () => {
  test("a disk that is busy for a moment: the snapshot is taken after it", async () => {
    const site = await stage(STANDARD, { random: () => 0.5 });
    await site.post({ name: "first" });
    const second = await site.post({ name: "second" });
    expect(second.result.statusCode).toBe(202);
    expect(second.records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(site.cloud.snapshots("standard-snapshot").map(({ name }) => name)).toEqual(["first", "second"]);
  });

  test("a throttled account: what the cloud asks for is waited, once", async () => {
    const site = await stage(SNAPSHOT, { random: () => 0 });
    site.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "throttle", retryAfter: 7 });
    const before = site.clock.now();
    const { result, records } = await site.post();
    expect([result.statusCode, records[0].attempts]).toEqual([202, 2]);
    expect(site.clock.now() - before).toBe(7_000);
  });

  test.each([
    ["busy", { type: "answer", status: 409, body: '{"error":{"code":"EVS.2409","message":"busy"}}' }, 409],
    ["throttled", { type: "throttle" }, 429],
  ] satisfies [string, Fault, number][])("for ever %s: an answer within 15 s", async (_what, fault, status) => {
    const site = await stage(STANDARD);
    site.cloud.fault({ operation: /create/ }, fault);
    const before = site.clock.now();
    const { result, records } = await site.post({}, {}, { remainingMs: 900_000 });
    expect(result.statusCode).toBe(status);
    expect(records[0].attempts).toBeGreaterThan(1);
    expect(site.clock.now() - before).toBeLessThanOrEqual(15_000);
  });

  test("a throttled answer tells the caller when to come again", async () => {
    const site = await stage(SNAPSHOT);
    site.cloud.fault({ operation: /create/ }, { type: "throttle", retryAfter: 30 });
    const { result } = await site.post();
    expect([result.statusCode, result.headers["retry-after"]]).toEqual([429, "30"]);
  });

  test("a cloud that never answers: an answer before the gateway gives up, whatever the function's timeout", async () => {
    const site = await stage(SNAPSHOT, { variables: { HTTP_TIMEOUT_MS: "600000" } });
    site.cloud.fault({ operation: /^evs/ }, { type: "hang", after: false });
    const before = site.clock.now();
    const { result } = await site.post({}, {}, { remainingMs: 900_000 });
    expect(result.statusCode).toBe(504);
    expect(site.clock.now() - before).toBeLessThanOrEqual(55_000);
  });
});

describe("an answer that leaves it open whether the cloud acted", () => {
  const OPEN: [what: string, fault: (after: boolean) => Fault][] = [
    ["reset", (after) => ({ type: "reset", after })],
    ["no answer", (after) => ({ type: "hang", after })],
    ["500", (after) => ({ type: "status", status: 500, after })],
    ["502 of the gateway", (after) => ({ type: "status", status: 502, after })],
    ["504 of the gateway", (after) => ({ type: "status", status: 504, after })],
    ["cut off", (after) => ({ type: "cut", after })],
    ["torn JSON", (after) => ({ type: "notJson", after })],
    ["a page", (after) => ({ type: "notJson", after, html: true })],
    ["empty", (after) => ({ type: "emptyBody", after })],
  ];

  describe.each(CREATES)("$name", (create) => {
    test.each(OPEN)("%s: one snapshot, whether or not it was made", async (_what, fault) => {
      for (const after of [true, false]) {
        const site = await stage(create);
        site.cloud.listLagMs = 5_000;
        site.cloud.fault({ operation: create.operation, nth: 1 }, fault(after));
        const { result, records } = await site.post({}, { "idempotency-key": "k" });
        expect(result.statusCode).toBe(create.status);
        expect(result.headers["x-snapshot-outcome"]).toBe("accepted");
        expect(creates(site)).toHaveLength(after ? 1 : 2);
        const [made, ...others] = site.cloud.snapshots(create.kind);
        expect(others).toEqual([]);
        expect(records[0]).toMatchObject({ outcome: "accepted", snapshot_id: made?.id, attempts: after ? 1 : 2 });
      }
    });
  });

  test("with the list failing as well: OutcomeUnknown, no second create; the same request later finds it", async () => {
    const site = await stage(SNAPSHOT);
    site.cloud.fault({ operation: "evs.createSnapshot" }, { type: "reset", after: true });
    site.cloud.fault({ operation: "evs.listSnapshots", nth: 2, times: 99 }, { type: "status", status: 500 });
    const first = await site.post({}, { "idempotency-key": "k" });
    expect(first.result.statusCode).toBe(504);
    expect(errorOf(first).reason).toBe("OutcomeUnknown");
    expect(creates(site)).toHaveLength(1);
    site.cloud.clearFaults();
    const again = await site.post({}, { "idempotency-key": "k" });
    expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(site.cloud.snapshots()).toHaveLength(1);
  });
});

test("whatever the time that is left and whatever is lost: one snapshot at most, one terminal record, an answer in time", async () => {
  const fault = fc.tuple(
    fc.constantFrom(/create/, /list/, /reportLogs/),
    fc.record({ nth: fc.integer({ min: 1, max: 3 }), times: fc.constantFrom(1, 99) }),
    fc.oneof(
      fc.record({ type: fc.constantFrom("reset", "hang", "cut", "notJson", "emptyBody"), after: fc.boolean() }),
      fc.record({ type: fc.constant("status"), status: fc.constantFrom(500, 502, 503, 504), after: fc.boolean() }),
      fc.record({ type: fc.constant("throttle"), retryAfter: fc.constantFrom(0, 3, 60) }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CREATES),
      fc.oneof(fc.integer({ min: 300, max: 12_000 }), fc.integer({ min: 300, max: 70_000 })),
      fc.array(fault, { maxLength: 3 }),
      fc.boolean(),
      async (create, remainingMs, faults, late) => {
        const site = await stage(create);
        if (late) site.cloud.listLagMs = 5_000;
        for (const [operation, when, what] of faults) site.cloud.fault({ operation, ...when }, what as Fault);
        const before = site.clock.now();
        const { result, error, records } = await site.post({}, { "idempotency-key": "k" }, { remainingMs });
        expect(error).toBeUndefined();
        expect(site.clock.now() - before).toBeLessThanOrEqual(remainingMs);
        expect(records.map(({ action }) => action)).toEqual(["create", "run"]);
        const made = site.cloud.snapshots(create.kind);
        expect(made.length).toBeLessThanOrEqual(1);
        if (result.statusCode === create.status) {
          expect(made).toHaveLength(1);
          expect(result.body).toContain(made[0]?.id);
        } else {
          expect([429, 502, 504]).toContain(result.statusCode);
          // What was made and could not be told of is never called a plain failure of the cloud.
          if (made.length === 1) expect(errorOf({ result } as never).reason).toBe("OutcomeUnknown");
        }
        // The platform's second delivery, in a cloud that is well again.
        site.cloud.clearFaults();
        site.clock.advance(60_000);
        const again = await site.post({}, { "idempotency-key": "k" });
        expect(again.result.statusCode).toBe(create.status);
        expect(site.cloud.snapshots(create.kind)).toHaveLength(1);
        await site.cloud.close();
      },
    ),
    { numRuns: 60 },
  );
});

describe("Misconfigured: the variable is named, with what it should look like", () => {
  const LTS = {
    LTS_ENDPOINT: "the logging topic",
    LTS_LOG_GROUP_ID: "the logging topic",
    LTS_LOG_STREAM_ID: "the logging topic",
  };
  type Broken = [variables: Record<string, string | undefined>, name: string, expected: string, create?: Create];
  const BROKEN: Broken[] = [
    [{ EVS_ENDPOINT: undefined, REGION: undefined }, "EVS_ENDPOINT or REGION", "such as eu-west-101"],
    [{ DWS_ENDPOINT: undefined, REGION: undefined }, "DWS_ENDPOINT or REGION", "such as eu-west-101", CLUSTER],
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

  test.each(BROKEN)("%j", async (variables, name, expected, create = SNAPSHOT) => {
    const site = await stage(create, { variables });
    const answered = await site.post();
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
    expect(site.requests()).toEqual([]);
    const direct = await site.direct();
    expect(direct.error?.message).toBe(errorOf(answered).message);
  });

  test("a password in an address is not repeated", async () => {
    const site = await stage(SNAPSHOT, { variables: { EVS_ENDPOINT: "https://me:hunter2@evs.example.com" } });
    const { output } = await site.post();
    expect(output).toContain("EVS_ENDPOINT");
    expect(output).not.toContain("hunter2");
  });
});

describe("the platform's context", () => {
  test("empty: 500 Misconfigured that names the agency, in an answer and in a record", async () => {
    const site = await stage(SNAPSHOT);
    for (const context of [{}, undefined, null]) {
      const answered = await site.http(apig(site.body()), { context });
      expect(answered.result.statusCode).toBe(500);
      expect(errorOf(answered).message).toMatch(/agency.*HUAWEICLOUD_SDK_AK/);
      expect(answered.result.headers["x-request-id"]).toMatch(/^made-up-\d+$/);
      expect(outcomes(answered)).toEqual(["run failed"]);
    }
  });

  test("empty, outside the platform: the environment stands for it", async () => {
    const site = await stage(SNAPSHOT);
    const { ak, sk, securityToken = "" } = site.cloud.credentials;
    const environment = {
      HUAWEICLOUD_SDK_AK: ak,
      HUAWEICLOUD_SDK_SK: sk,
      HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken,
      RUNTIME_USERDATA: JSON.stringify({ EVS_ENDPOINT: site.cloud.url }),
      RUNTIME_PROJECT_ID: site.cloud.projectId,
    };
    const { result } = await site.http(apig(site.body()), { context: {}, environment });
    expect(result.statusCode).toBe(202);
    expect(site.cloud.snapshots()).toHaveLength(1);
  });

  test("its project is the default of PROJECT_ID", async () => {
    const site = await stage(SNAPSHOT, { variables: { PROJECT_ID: undefined } });
    expect((await site.post()).result.statusCode).toBe(202);
  });

  test("half a key is none: the token is used", async () => {
    const site = await stage(SNAPSHOT);
    const { ak, token } = site.cloud.credentials;
    expect((await site.post({}, {}, { credentials: { ak, token } })).result.statusCode).toBe(202);
    expect(new Set(site.cloud.requests.map(({ signed }) => signed))).toEqual(new Set(["token"]));
  });
});

test.each([0, 10, 100, 250, 1_000, 2_250, 3_700])(
  "%i ms left: no create is begun, and the record says so",
  async (remainingMs) => {
    const site = await stage(SNAPSHOT);
    const before = site.clock.now();
    const answered = await site.post({}, {}, { remainingMs });
    expect(answered.result.statusCode).toBe(504);
    expect(errorOf(answered).reason).toBe("DeadlineExceeded");
    expect(outcomes(answered)).toEqual(["create failed", "run failed"]);
    expect(creates(site)).toEqual([]);
    expect(site.clock.now() - before).toBe(0);
  },
);

/** Tests input that is nested too deeply, is too large, or starts with a byte order mark. */
import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../functions/create-standard-snapshot/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { Runtime } from "../../shared/middleware/runtime.ts";
import { runBare } from "../support/bare-node.ts";
import { apig, createTestEnvironment, errorOf, type Invoked, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

type Json = Record<string, unknown>;
type Factory = (runtime: Runtime) => (event: unknown, context: unknown) => Promise<unknown>;

const BYTE_ORDER_MARK = "\ufeff";
const LEVELS = 100_000;
const DEEP_ARRAY = `${"[".repeat(LEVELS)}${"]".repeat(LEVELS)}`;
const DEEP_OBJECT = `${'{"a":'.repeat(LEVELS)}1${"}".repeat(LEVELS)}`;

const HTTP: Record<string, Factory> = {
  "create-snapshot": createSnapshot,
  "create-standard-snapshot": createStandardSnapshot,
  "create-snapshot-group": createSnapshotGroup,
  "create-cluster-snapshot": createClusterSnapshot,
  "pre-deploy": preDeploy,
};
const EVENT: Record<string, Factory> = {
  "scheduled-snapshots": scheduledSnapshots,
  "prune-snapshots": pruneSnapshots,
  "verify-snapshots": verifySnapshots,
  "disk-attached": diskAttached,
};

/** Expects that the function rejects the call as invalid with a short message, and does not call the cloud. */
function expectRejected(invoked: Invoked, message: string, requests: string[]): void {
  const actual: string = invoked.error?.message ?? errorOf(invoked).message;
  expect(actual).toContain(message);
  expect(actual.length).toBeLessThan(1_000);
  expect(invoked.records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
  for (const { error } of invoked.records) expect(error.reason).toBe("InvalidRequest");
  expect(requests).toEqual([]);
}

describe.each<[what: string, text: string, words: string]>([
  ["arrays", DEEP_ARRAY, "an array of 1 item"],
  ["objects", DEEP_OBJECT, "an object"],
])("input of 100,000 nested %s", (what, text, words) => {
  const deep = `100,000 nested ${what}`;
  const value = (): unknown => JSON.parse(text);

  test.each(Object.entries(HTTP))(
    `%s responds 400 to ${deep} as the body or as the idempotency key`,
    async (_name, factory) => {
      const environment = await createTestEnvironment();
      for (const changes of [
        { body: text, isBase64Encoded: false },
        { body: value() },
        { headers: { "idempotency-key": value() } },
      ]) {
        const invoked = await environment.invoke(factory, apig(text, {}, changes));
        expect(invoked.result.statusCode).toBe(400);
        expectRejected(invoked, "", environment.requests());
      }
    },
  );

  test.each(Object.entries(HTTP))(`%s responds 405 to ${deep} as the method`, async (_name, factory) => {
    const environment = await createTestEnvironment();
    const invoked = await environment.invoke(factory, apig("{}", {}, { httpMethod: value() }));
    expect(invoked.result.statusCode).toBe(405);
    expectRejected(invoked, `Expected the method POST, got ${words}.`, environment.requests());
  });

  test.each([
    ["volume_id", "snapshot.volume_id: expected a string"],
    ["name", "snapshot.name: expected a string"],
    ["force", "snapshot.force: expected true or false"],
    ["nam", "snapshot.nam: unknown field. Allowed: volume_id, "],
  ])(`create-snapshot responds 400 to ${deep} in the field %s`, async (field, message) => {
    const environment = await createTestEnvironment();
    const invoked = await environment.invoke(createSnapshot, apig(`{"snapshot":{"${field}":${text}}}`));
    expect(invoked.result.statusCode).toBe(400);
    expectRejected(invoked, message, environment.requests());
  });

  test(`create-snapshot responds 400 to ${deep} in its metadata`, async () => {
    const environment = await createTestEnvironment();
    const invoked = await environment.invoke(createSnapshot, apig(`{"snapshot":{"metadata":{"a":${text}}}}`));
    expect(invoked.result.statusCode).toBe(400);
    expectRejected(invoked, `snapshot.metadata.a: expected a string, got ${words}.`, environment.requests());
  });

  test.each([
    ["kind", `targets[0].kind: expected "snapshot" or `],
    ["volume_ids", "targets[0]"],
    ["tags", "targets[0]"],
    ["nam", "targets[0].nam: unknown field"],
  ])(`pre-deploy and scheduled-snapshots reject ${deep} in the field %s of a target`, async (field, message) => {
    const environment = await createTestEnvironment();
    const target = field === "kind" ? `{"kind":${text}}` : `{"kind":"snapshot","${field}":${text}}`;
    const gate = await environment.invoke(preDeploy, apig(`{"deployment_id":"d","targets":[${target}]}`));
    expect(gate.result.statusCode).toBe(400);
    expectRejected(gate, message, environment.requests());
    const event = timerEvent(`{"policy":"nightly","targets":[${target}]}`);
    expectRejected(await environment.invoke(scheduledSnapshots, event), message, environment.requests());
  });

  test.each(["policy", "targets", "time_zone", "retention", "hold", "dry_run", "nam"])(
    `scheduled-snapshots rejects ${deep} in the field %s of a policy that is a string or an object`,
    async (field) => {
      const environment = await createTestEnvironment();
      const policy = `{"policy":"nightly","targets":[{"kind":"snapshot","tags":{"a":"b"}}],"${field}":${text}}`;
      for (const user_event of [policy, JSON.parse(policy)]) {
        const invoked = await environment.invoke(scheduledSnapshots, { ...timerEvent({}), user_event });
        expectRejected(invoked, field, environment.requests());
      }
    },
  );

  test.each(Object.entries(EVENT))(`%s rejects ${deep} as its event`, async (_name, factory) => {
    const environment = await createTestEnvironment();
    expectRejected(await environment.invoke(factory, value()), "Expected a", environment.requests());
  });

  test(`create-snapshot rejects ${deep} as the event of a direct invocation`, async () => {
    const environment = await createTestEnvironment();
    expectRejected(await environment.invoke(createSnapshot, value()), "", environment.requests());
  });

  test.each(["time", "user_event"])(`scheduled-snapshots rejects ${deep} as the %s of a timer event`, async (field) => {
    const environment = await createTestEnvironment();
    const invoked = await environment.invoke(scheduledSnapshots, {
      ...timerEvent({ policy: "nightly" }),
      [field]: value(),
    });
    expectRejected(invoked, "", environment.requests());
  });

  test.each(["cts", "data"])(`disk-attached rejects ${deep} as the %s of its event`, async (field) => {
    const environment = await createTestEnvironment();
    const invoked = await environment.invoke(diskAttached, { specversion: "1.0", [field]: value() });
    expectRejected(invoked, "", environment.requests());
  });

  test(`disk-attached rejects ${deep} as the name of a trace`, async () => {
    const environment = await createTestEnvironment();
    const cts = { trace_name: value(), time: Date.parse(START), resource_id: environment.cloud.addServer().id };
    const invoked = await environment.invoke(diskAttached, { cts });
    expectRejected(invoked, "trace_name: expected ", environment.requests());
  });

  test(`disk-attached creates one snapshot although secondary fields of the trace contain ${deep}`, async () => {
    const environment = await createTestEnvironment();
    const server = environment.cloud.addServer().id;
    const disk = environment.cloud.addVolume({ serverId: server, attachedAt: Date.parse(START) }).id;
    const cts: Json = { trace_name: "attachVolume", time: Date.parse(START), resource_id: server };
    const request = { volumeAttachment: { volumeId: disk } };
    for (const field of ["time", "code", "service_type", "trace_rating", "response", "record_time", "user"]) {
      const { result } = await environment.invoke(diskAttached, { cts: { ...cts, request, [field]: value() } });
      expect(Object.keys(result.outcomes), field).toHaveLength(1);
    }
    expect(environment.cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([disk]);
  });

  test(`scheduled-snapshots hands disks over to another invocation although its timer event also contains ${deep}`, async () => {
    const environment = await createTestEnvironment({ variables: { SHARD_SIZE: "2" } });
    for (let disks = 0; disks < 3; disks += 1) environment.cloud.addVolume({ tags: { backup: "daily" } });
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    const { result } = await environment.invoke(scheduledSnapshots, { ...timerEvent(policy), version: value() });
    expect(result.outcomes).toEqual({ accepted: 2, deferred: 1 });
  });
});

const MIB = 1024 * 1024;

/** Returns a string that repeats an item as often as it fits into 1 MiB. */
function filled(head: string, item: (index: number) => string, tail: string): string {
  const items: string[] = [];
  for (let size = head.length + tail.length; ; ) {
    const next = item(items.length);
    size += next.length + 1;
    if (size > MIB) return head + items.join(",") + tail;
    items.push(next);
  }
}

const GATE = '{"deployment_id":"release-7","targets":[';
const SNAPSHOT = `${GATE}{"kind":"snapshot",`;
const uuid = (index: number) => `"5aa119a8-d25b-45a7-8d1b-${String(index).padStart(12, "0")}"`;

describe("a body of 1 MiB", () => {
  test.each<[what: string, body: string, message: string]>([
    ["targets that are numbers", filled(GATE, () => "0", "]}"), "targets: expected at most 10000 items, got 524"],
    ["empty targets", filled(GATE, () => "{}", "]}"), "targets: expected at most 10000 items, got 349"],
    ["unknown kinds", filled(GATE, () => '{"kind":"x"}', "]}"), "targets: expected at most 10000 items"],
    [
      "targets without ids and tags",
      filled(GATE, () => '{"kind":"snapshot"}', "]}"),
      "targets: expected at most 10000 items",
    ],
    [
      "ids that are numbers",
      filled(`${SNAPSHOT}"volume_ids":[`, () => "0", "]}]}"),
      "targets[0].volume_ids: expected at most 10000 items",
    ],
    [
      "valid ids",
      filled(`${SNAPSHOT}"volume_ids":[`, uuid, "]}]}"),
      "targets[0].volume_ids: expected at most 10000 items, got 26",
    ],
    [
      "unknown fields",
      filled(`${GATE}],`, (index) => `"f${index}":0`, "}"),
      "body: expected at most 10000 fields, got 96",
    ],
    [
      "unknown fields of a target",
      filled(SNAPSHOT, (index) => `"f${index}":0`, "}]}"),
      "targets[0]: expected at most 10000 fields, got 96",
    ],
    [
      "tags that are numbers",
      filled(`${SNAPSHOT}"tags":{`, (index) => `"t${index}":0`, "}}]}"),
      "targets[0].tags: expected at most 10000 fields, got 96",
    ],
    [
      "valid tags",
      filled(`${SNAPSHOT}"tags":{`, (index) => `"t${index}":""`, "}}]}"),
      "targets[0].tags: expected at most 10000 fields, got 88",
    ],
    [
      "targets with many unknown fields each",
      filled(
        GATE,
        () => `{"kind":"snapshot",${Array.from({ length: 100 }, (_, index) => `"f${index}":0`).join()}}`,
        "]}",
      ),
      "Validation stopped after 200 faults. There are more.",
    ],
    [
      "long unknown fields",
      filled(`${GATE}],`, (index) => `"${"f".repeat(200)}${index}":0`, "}"),
      "targets: expected at least 1 item, got 0.",
    ],
    [
      "field names of control characters",
      filled(`${GATE}],`, (index) => `"${"\\u0001".repeat(20)}${index}":0`, "}"),
      "Validation stopped after ",
    ],
    ["nested arrays", "[".repeat(MIB / 2) + "]".repeat(MIB / 2), "body: expected an object, got an array of 1 item."],
    ["arrays without an end", "[".repeat(MIB), "Expected a JSON body, got "],
    ["a long string", `{"deployment_id":"${"x".repeat(MIB - 100)}"}`, "deployment_id: expected at most 128 characters"],
    ["spaces", " ".repeat(MIB), "Expected a JSON body, got "],
  ])(
    "pre-deploy responds to 1 MiB of %s with a 400 of at most 64 KB within 64 MB of heap",
    async (_what, body, message) => {
      const variables = { REGION: "eu-west-101", PROJECT_ID: "0123456789abcdef" };
      const context = { getSecurityAccessKey: "access-key", getSecuritySecretKey: "secret-key", variables };
      const environment = { NODE_OPTIONS: "--max-old-space-size=64" };
      const run = await runBare("pre-deploy", [{ event: apig(body), context }], { environment });
      const answer = run.returned[0]?.result;
      expect(answer.statusCode).toBe(400);
      expect(JSON.parse(answer.body).error.message).toContain(message);
      expect(answer.body.length).toBeLessThan(64 * 1024);
      expect(run.stdout.length).toBeLessThan(128 * 1024);
    },
  );
});

test("create-snapshot rejects a body of 1 MiB of spaces and one character that is not base64 without a delay", async () => {
  const environment = await createTestEnvironment();
  const invoked = await environment.invoke(createSnapshot, apig("", {}, { body: `${" ".repeat(MIB - 1)}!` }));
  expectRejected(invoked, "Expected a base64 body", environment.requests());
});

describe("a byte order mark", () => {
  test.each([false, undefined])(
    "create-snapshot ignores a byte order mark before a plain body whose isBase64Encoded is %s",
    async (isBase64Encoded) => {
      const environment = await createTestEnvironment();
      const text = JSON.stringify({ snapshot: { volume_id: environment.cloud.addVolume().id } });
      const { result } = await environment.invoke(
        createSnapshot,
        apig("", {}, { body: BYTE_ORDER_MARK + text, isBase64Encoded }),
      );
      expect(result.statusCode).toBe(202);
      expect(environment.cloud.snapshots("snapshot")).toHaveLength(1);
    },
  );

  test("create-snapshot ignores a byte order mark in a base64 body", async () => {
    const environment = await createTestEnvironment();
    const text = JSON.stringify({ snapshot: { volume_id: environment.cloud.addVolume().id } });
    const { result } = await environment.invoke(createSnapshot, apig(BYTE_ORDER_MARK + text));
    expect(result.statusCode).toBe(202);
    expect(environment.cloud.snapshots("snapshot")).toHaveLength(1);
  });

  test("scheduled-snapshots ignores a byte order mark before the user_event of a timer", async () => {
    const environment = await createTestEnvironment();
    const { id } = environment.cloud.addVolume();
    const policy = JSON.stringify({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids: [id] }] });
    const { result } = await environment.invoke(scheduledSnapshots, timerEvent(BYTE_ORDER_MARK + policy));
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(environment.cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([id]);
  });

  test("disk-attached ignores a byte order mark before DISK_ATTACHED_RETENTION", async () => {
    const environment = await createTestEnvironment({
      variables: { DISK_ATTACHED_RETENTION: `${BYTE_ORDER_MARK}{"keep_last":2}` },
    });
    const server = environment.cloud.addServer().id;
    const disk = environment.cloud.addVolume({ serverId: server, attachedAt: Date.parse(START) }).id;
    const cts = { trace_name: "attachVolume", time: Date.parse(START), resource_id: server };
    const { result } = await environment.invoke(diskAttached, { cts: { ...cts, request: { volume_id: disk } } });
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(environment.cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([disk]);
  });

  test("create-snapshot ignores a byte order mark before RUNTIME_USERDATA", async () => {
    await expectClassicLimits(`${BYTE_ORDER_MARK}{"EVS_LIMITS":"classic"}`);
  });
});

test("create-snapshot reads EVS_LIMITS although another variable of RUNTIME_USERDATA is 100,000 nested arrays", async () => {
  await expectClassicLimits(`{"OTHER":${DEEP_ARRAY},"EVS_LIMITS":"classic"}`);
});

/** Expects that create-snapshot reads `EVS_LIMITS` from the variable, because it accepts a description of 200 characters. */
async function expectClassicLimits(RUNTIME_USERDATA: string) {
  const { cloud, invoke } = await createTestEnvironment({ evsLimits: "classic" });
  const body = { snapshot: { volume_id: cloud.addVolume().id, description: "d".repeat(200) } };
  const { result } = await invoke(createSnapshot, apig(body), { environment: { RUNTIME_USERDATA } });
  expect(result.statusCode).toBe(202);
}

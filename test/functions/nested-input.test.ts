/** Tests input that is nested too deeply. */
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
import { apig, createTestEnvironment, expectRejected, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

type Json = Record<string, unknown>;
type Factory = (runtime: Runtime) => (event: unknown, context: unknown) => Promise<unknown>;

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

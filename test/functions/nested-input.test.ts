/** Tests that the functions reject input of 100,000 nested arrays or objects without an error of the JavaScript engine. */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { byName, CREATES, type Create, SNAPSHOT } from "../support/creates.ts";
import {
  apig,
  createTestEnvironment,
  expectInvalidInput,
  type Json,
  nightly,
  START,
  timerEvent,
} from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

type FunctionUnderTest = Pick<Create, "name" | "factory">;

const PRE_DEPLOY = { name: "pre-deploy", factory: preDeploy };
const SCHEDULED = { name: "scheduled-snapshots", factory: scheduledSnapshots };
const DISK_ATTACHED = { name: "disk-attached", factory: diskAttached };

const HTTP_FUNCTIONS: FunctionUnderTest[] = [...CREATES, PRE_DEPLOY];
const EVENT_FUNCTIONS: FunctionUnderTest[] = [
  SCHEDULED,
  DISK_ATTACHED,
  { name: "prune-snapshots", factory: pruneSnapshots },
  { name: "verify-snapshots", factory: verifySnapshots },
];

const LEVELS = 100_000;
const NESTED_ARRAYS = `${"[".repeat(LEVELS)}${"]".repeat(LEVELS)}`;
const NESTED_OBJECTS = `${'{"a":'.repeat(LEVELS)}1${"}".repeat(LEVELS)}`;
/** The time in the CTS traces, in milliseconds. */
const time = Date.parse(START);

/** Invokes a function in a new test environment. Expects that it rejects the event with this message and sends no request. */
async function expectInvalid({ factory }: FunctionUnderTest, event: unknown, message = "", status?: number) {
  const environment = await createTestEnvironment();
  const invoked = await environment.invoke(factory, event);
  if (status !== undefined) expect(invoked.result.statusCode).toBe(status);
  expectInvalidInput(invoked, message, environment.requests());
}

describe.each<[structure: string, json: string, description: string]>([
  ["arrays", NESTED_ARRAYS, "an array of 1 item"],
  ["objects", NESTED_OBJECTS, "an object"],
])("input of 100,000 nested %s", (structure, json, description) => {
  const nested = `100,000 nested ${structure}`;
  const value = (): unknown => JSON.parse(json);

  test.each(byName(HTTP_FUNCTIONS))(
    `%s responds 400 if its body or its Idempotency-Key header consists of ${nested}`,
    async (_name, unit) => {
      await expectInvalid(unit, apig(json, {}, { body: json, isBase64Encoded: false }), "", 400);
      await expectInvalid(unit, apig(json, {}, { body: value() }), "", 400);
      await expectInvalid(unit, apig(json, {}, { headers: { "idempotency-key": value() } }), "", 400);
    },
  );

  test.each(byName(HTTP_FUNCTIONS))(
    `%s responds 405 if the HTTP method in its event consists of ${nested}`,
    async (_name, unit) => {
      const message = `Expected the method POST, got ${description}.`;
      await expectInvalid(unit, apig("{}", {}, { httpMethod: value() }), message, 405);
    },
  );

  test.each([
    ["volume_id", "snapshot.volume_id: expected a string"],
    ["name", "snapshot.name: expected a string"],
    ["force", "snapshot.force: expected true or false"],
    ["unknown_field", "snapshot.unknown_field: unknown field. Allowed: volume_id, "],
  ])(`create-snapshot responds 400 if the field "%s" in its body consists of ${nested}`, async (field, message) => {
    await expectInvalid(SNAPSHOT, apig(`{"snapshot":{"${field}":${json}}}`), message, 400);
  });

  test(`create-snapshot responds 400 if a value in the field "metadata" consists of ${nested}`, async () => {
    const message = `snapshot.metadata.a: expected a string, got ${description}.`;
    await expectInvalid(SNAPSHOT, apig(`{"snapshot":{"metadata":{"a":${json}}}}`), message, 400);
  });

  test.each([
    ["kind", `targets[0].kind: expected "snapshot" or `],
    ["volume_ids", "targets[0]"],
    ["tags", "targets[0]"],
    ["unknown_field", "targets[0].unknown_field: unknown field"],
  ])(
    `pre-deploy and scheduled-snapshots reject a target whose field "%s" consists of ${nested}`,
    async (field, message) => {
      const target = field === "kind" ? `{"kind":${json}}` : `{"kind":"snapshot","${field}":${json}}`;
      await expectInvalid(PRE_DEPLOY, apig(`{"deployment_id":"d","targets":[${target}]}`), message, 400);
      await expectInvalid(SCHEDULED, timerEvent(`{"policy":"nightly","targets":[${target}]}`), message);
    },
  );

  test.each(["policy", "targets", "time_zone", "retention", "hold", "dry_run", "unknown_field"])(
    `scheduled-snapshots rejects a policy whose field "%s" consists of ${nested}`,
    async (field) => {
      const policy = `{"policy":"nightly","targets":[{"kind":"snapshot","tags":{"a":"b"}}],"${field}":${json}}`;
      for (const user_event of [policy, JSON.parse(policy)]) {
        await expectInvalid(SCHEDULED, { ...timerEvent({}), user_event }, field);
      }
    },
  );

  test.each(byName(EVENT_FUNCTIONS))(`%s rejects an event that consists of ${nested}`, async (_name, unit) => {
    await expectInvalid(unit, value(), "Expected a");
  });

  test(`create-snapshot, invoked directly, throws InvalidRequest if its event consists of ${nested}`, async () => {
    await expectInvalid(SNAPSHOT, value());
  });

  test.each(["time", "user_event"])(
    `scheduled-snapshots rejects a timer event whose field "%s" consists of ${nested}`,
    async (field) => {
      await expectInvalid(SCHEDULED, { ...timerEvent({ policy: "nightly" }), [field]: value() });
    },
  );

  test.each(["cts", "data"])(`disk-attached rejects an event whose field "%s" consists of ${nested}`, async (field) => {
    await expectInvalid(DISK_ATTACHED, { specversion: "1.0", [field]: value() });
  });

  test(`disk-attached rejects a CTS trace whose field "trace_name" consists of ${nested}`, async () => {
    const { cloud } = await createTestEnvironment();
    const cts = { trace_name: value(), time, resource_id: cloud.addServer().id };
    await expectInvalid(DISK_ATTACHED, { cts }, "trace_name: expected ");
  });

  test(`disk-attached creates one snapshot although an optional field of the CTS trace consists of ${nested}`, async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const server = cloud.addServer().id;
    const disk = cloud.addVolume({ serverId: server, attachedAt: time }).id;
    const request = { volumeAttachment: { volumeId: disk } };
    for (const field of ["time", "code", "service_type", "trace_rating", "response", "record_time", "user"]) {
      const cts: Json = { trace_name: "attachVolume", time, resource_id: server, request, [field]: value() };
      const { result } = await invoke(diskAttached, { cts });
      expect(Object.keys(result.outcomes), field).toHaveLength(1);
    }
    expect(cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([disk]);
  });

  test(`scheduled-snapshots passes a disk to another invocation although the field "version" of its timer event consists of ${nested}`, async () => {
    const { addDisks, invoke } = await createTestEnvironment({ variables: { SHARD_SIZE: "2" } });
    const tags = { backup: "daily" };
    addDisks(3, { tags });
    const { result } = await invoke(scheduledSnapshots, { ...nightly({ tags }), version: value() });
    expect(result.outcomes).toEqual({ accepted: 2, deferred: 1 });
  });
});

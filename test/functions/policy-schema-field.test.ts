/** Tests that the functions accept the field `$schema` of a policy, with which an editor finds policy.schema.json, and ignore it. */
import { expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { createTestEnvironment, type Json, timerEvent } from "../support/environment.ts";
import { createFixture, URN } from "../support/schedules.ts";

const SCHEMA = "../../infra/policy.schema.json";

/** Creates 3 snapshots on 3 days and prunes them. Returns everything that an observer can see. */
async function runThreeDays(policy: Json) {
  const environment = await createTestEnvironment({ timeoutSeconds: 900, random: () => 0.5 });
  const { id } = environment.cloud.addVolume({ id: "5aa119a8-d25b-45a7-8d1b-88e127885635" });
  const volume_ids = [id];
  const targets = [{ kind: "standard-snapshot", volume_ids, description: "nightly" }];
  const records: unknown[] = [];
  for (const day of ["21", "22", "23"]) {
    const event = timerEvent({ ...policy, targets }, `2026-11-${day}T02:00:00Z`);
    environment.clock.set(Date.parse(`2026-11-${day}T02:00:00Z`));
    for (const factory of [scheduledSnapshots, scheduledSnapshots, pruneSnapshots]) {
      const invoked = await environment.invoke(factory, event, { requestId: "request" });
      expect(invoked.error).toBeUndefined();
      records.push(...invoked.records);
      environment.clock.advance(60_000);
    }
  }
  const { cloud } = environment;
  const withoutIds = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<="job_id":")\w+/g, "id"));
  return withoutIds({ records, requests: environment.requests(), left: cloud.snapshots("standard-snapshot") });
}

test("scheduled-snapshots and prune-snapshots ignore the field $schema of a policy: records, requests, keys and request hashes stay the same", async () => {
  const policy = { policy: "nightly", retention: { keep_last: 2 } };
  const [without, withSchema] = [await runThreeDays(policy), await runThreeDays({ $schema: SCHEMA, ...policy })];
  expect(without.left).toHaveLength(2);
  expect(JSON.stringify(without.left)).toMatch(/"key":"\w+"/);
  expect(withSchema).toEqual(without);
});

test("a redelivery with the field $schema finds the snapshot that the delivery without the field created", async () => {
  const environment = await createTestEnvironment({ timeoutSeconds: 900 });
  const [disk = ""] = environment.addDisks(1);
  const policy = { policy: "nightly", targets: [{ kind: "snapshot", volume_ids: [disk] }] };
  for (const outcome of ["accepted", "existing"]) {
    const event = timerEvent(outcome === "accepted" ? policy : { ...policy, $schema: SCHEMA });
    const { records } = await environment.invoke(scheduledSnapshots, event);
    expect(records[0]).toMatchObject({ outcome, resource_id: disk });
  }
  expect(environment.cloud.snapshots("snapshot")).toHaveLength(1);
});

test("scheduled-snapshots creates a snapshot of every target if a policy with the field $schema needs several invocations", async () => {
  const { addDisks, further, fire, cloud } = await createFixture({ functions: [URN], variables: { SHARD_SIZE: "2" } });
  const volume_ids = addDisks(5);
  await fire({ $schema: SCHEMA, targets: [{ kind: "snapshot", volume_ids }] });
  expect(further.map(({ error }) => error)).toEqual([undefined, undefined]);
  expect(cloud.snapshots("snapshot")).toHaveLength(5);
});

test.each([
  ["a number", 7, "$schema: expected a string, got the number 7."],
  ["null", null, "$schema: expected a string, got null."],
])("the functions reject a policy whose field $schema is %s", async (_what, value, message) => {
  const environment = await createTestEnvironment();
  const policy = { policy: "nightly", $schema: value, targets: [{ kind: "snapshot", tags: { a: "b" } }] };
  for (const factory of [scheduledSnapshots, pruneSnapshots]) {
    expect((await environment.invoke(factory, timerEvent(policy))).error?.message).toContain(message);
  }
});

/** Tests the create functions with repeated requests. */
import { describe, expect, test } from "vitest";
import { CLUSTER, CREATES, createFixture, creates, SNAPSHOT } from "../support/creates.ts";
import { apig, errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe.each(CREATES)("$name", (create) => {
  const { kind, operation, status } = create;
  const named = kind === "cluster-snapshot";

  test(`${create.name} returns the existing snapshot, in the status and shape of the API, for a repeated Idempotency-Key`, async () => {
    const fixture = await createFixture(create);
    const first = await fixture.post({ description: "before the update" }, { "Idempotency-Key": "deploy-7" });
    fixture.clock.advance(60_000);
    const again = await fixture.post({ description: "before the update" }, { "idempotency-key": "deploy-7" });
    expect(first.result.headers["x-snapshot-outcome"]).toBe("accepted");
    expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(again.result.statusCode).toBe(status);
    const [made, ...others] = fixture.cloud.snapshots(kind);
    expect(others).toEqual([]);
    expect(creates(fixture)).toHaveLength(1);
    const id = made?.id;
    const { volume_id, name, created_at } = made ?? {};
    expect(JSON.parse(again.result.body)).toEqual(
      {
        snapshot: {
          snapshot: expect.objectContaining({ id, volume_id, name, created_at, status: "available", size: 10 }),
        },
        "standard-snapshot": { snapshot_id: id },
        "snapshot-group": { snapshot_group_id: id },
        "cluster-snapshot": { snapshot: { id } },
      }[kind],
    );
    expect(outcomes(again)).toEqual(["create existing", "run done"]);
    expect(again.records[0]).toMatchObject({ snapshot_id: id, name: made?.name, attempts: 0 });
  });

  test(`${create.name} creates one snapshot for two simultaneous calls with one key in one instance`, async () => {
    const fixture = await createFixture(create);
    const both = await Promise.all([1, 2].map(() => fixture.post({}, { "idempotency-key": "twice" })));
    expect(both.map(({ result }) => result.headers["x-snapshot-outcome"]).sort()).toEqual(["accepted", "existing"]);
    expect(fixture.cloud.snapshots(kind)).toHaveLength(1);
  });

  test(`${create.name} creates a snapshot for each request without a key, but not for a redelivery of the same request id`, async () => {
    const fixture = await createFixture(create, { creationMs: 0 });
    const fields = () => (named ? { name: `made-${fixture.clock.now()}` } : {});
    const first = fields();
    await fixture.direct(fixture.body(first), { requestId: "one" });
    fixture.clock.advance(60_000);
    const repeated = await fixture.direct(fixture.body(first), { requestId: "one" });
    const other = await fixture.direct(fixture.body(fields()), { requestId: "other" });
    expect([outcomes(repeated)[0], outcomes(other)[0]]).toEqual(["create existing", "create accepted"]);
    expect(fixture.cloud.snapshots(kind)).toHaveLength(2);
  });

  test(`${create.name} responds 409 and creates nothing if a repeated key comes with a different request`, async () => {
    const fixture = await createFixture(create);
    await fixture.post({ description: "one" }, { "idempotency-key": "deploy-7" });
    fixture.clock.advance(60_000);
    const [made] = fixture.cloud.snapshots(kind);
    const other = await fixture.post({ description: "another" }, { "idempotency-key": "deploy-7" });
    expect(other.result.statusCode).toBe(409);
    expect(errorOf(other)).toMatchObject({ code: "Conflict", reason: "Conflict" });
    expect(errorOf(other).message).toContain(made?.id);
    expect(outcomes(other)).toEqual(["create failed", "run failed"]);
    expect(creates(fixture)).toHaveLength(1);
    expect(fixture.cloud.snapshots(kind)).toHaveLength(1);
  });

  test(`${create.name} finds the snapshot instead of creating another one if the response to the create is lost`, async () => {
    const fixture = await createFixture(create);
    fixture.cloud.fault({ operation, nth: 1 }, { type: "reset", after: true });
    const { result, records } = await fixture.post();
    expect(result.statusCode).toBe(status);
    expect(result.headers["x-snapshot-outcome"]).toBe("accepted");
    expect(creates(fixture)).toHaveLength(1);
    expect(fixture.cloud.snapshots(kind)).toHaveLength(1);
    expect(records[0]).toMatchObject({
      outcome: "accepted",
      attempts: 1,
      snapshot_id: fixture.cloud.snapshots(kind)[0]?.id,
    });
  });

  test(`${create.name} repeats a create whose request was lost after it has found no snapshot`, async () => {
    const fixture = await createFixture(create);
    fixture.cloud.fault({ operation, nth: 1 }, { type: "reset", after: false });
    const { result, records } = await fixture.post();
    expect(result.statusCode).toBe(status);
    expect(fixture.cloud.snapshots(kind)).toHaveLength(1);
    expect(records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
  });
});

test.each(CREATES.filter(({ kind }) => kind !== "cluster-snapshot").map((create) => [create.name, create] as const))(
  "%s ignores a failed snapshot and creates another one with a different generated name",
  async (_name, create) => {
    const fixture = await createFixture(create);
    const id = String(fixture.resource.volume_id ?? fixture.resource.server_id);
    fixture.cloud.endWith(id, "error");
    const post = () => fixture.post({}, { "idempotency-key": "deploy-7" });
    const first = await post();
    fixture.clock.advance(60_000);
    const second = await post();
    fixture.clock.advance(60_000);
    const third = await post();
    const [failed, good, ...others] = fixture.cloud.snapshots(create.kind);
    expect(others).toEqual([]);
    expect(failed?.status).toBe("error");
    expect(good?.status).toMatch(/^ava/);
    expect(good?.name).not.toBe(failed?.name);
    expect([first, second, third].map(({ result }) => result.headers["x-snapshot-outcome"])).toEqual([
      "accepted",
      "accepted",
      "existing",
    ]);
    expect(third.result.body).toContain(good?.id);
  },
);

test("create-snapshot treats two requests with the same fields in a different order as the same request", async () => {
  const fixture = await createFixture(SNAPSHOT);
  const { volume_id } = fixture.resource;
  const headers = { "idempotency-key": "deploy-7" };
  await fixture.http(apig({ snapshot: { volume_id, force: true, metadata: { a: "1", b: "2" } } }, headers));
  const again = await fixture.http(
    apig({ snapshot: { metadata: { b: "2", a: "1" }, force: true, volume_id } }, headers),
  );
  expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
});

test("create-cluster-snapshot responds 409 with advice if a failed snapshot still occupies the name", async () => {
  const fixture = await createFixture(CLUSTER);
  fixture.cloud.endWith(String(fixture.resource.cluster_id), "UNAVAILABLE");
  await fixture.post({}, { "idempotency-key": "deploy-7" });
  fixture.clock.advance(60_000);
  const again = await fixture.post({}, { "idempotency-key": "deploy-7" });
  expect(again.result.statusCode).toBe(409);
  expect(errorOf(again).message).toMatch(/"snapshot-\d+" is the name of snapshot .*delete that snapshot/);
});

test("create-cluster-snapshot sends a description that leaves no room for the marker unchanged, and finds the snapshot by its name", async () => {
  const fixture = await createFixture(CLUSTER);
  const description = "x".repeat(256);
  const post = () => fixture.post({ description }, { "idempotency-key": "deploy-7" });
  await post();
  fixture.clock.advance(60_000);
  const again = await post();
  expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
  expect(fixture.cloud.snapshots("cluster-snapshot").map((made) => made.description)).toEqual([description]);
});

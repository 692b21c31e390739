/** Tests that a create function recognizes a repeated request and creates no second snapshot. */
import { describe, expect, test } from "vitest";
import { byName, CLUSTER, CREATES, createFixture, creates, GROUP, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { apig, errorOf, outcomeHeader, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe.each(byName(CREATES))("%s", (_name, create) => {
  const { kind, status } = create;

  test(`${create.name} responds to a repeated Idempotency-Key with the existing snapshot, in the format of a create response`, async () => {
    const fixture = await createFixture(create);
    const first = await fixture.post({ description: "before the update" }, { "Idempotency-Key": "deploy-7" });
    fixture.clock.advance(60_000);
    const second = await fixture.post({ description: "before the update" }, { "idempotency-key": "deploy-7" });
    expect([first, second].map(outcomeHeader)).toEqual(["accepted", "existing"]);
    expect(second.result.statusCode).toBe(status);
    const [made, ...others] = fixture.snapshots();
    expect(others).toEqual([]);
    expect(creates(fixture)).toHaveLength(1);
    const id = made?.id;
    const { volume_id, name, created_at } = made ?? {};
    expect(JSON.parse(second.result.body)).toEqual(
      {
        snapshot: {
          snapshot: expect.objectContaining({ id, volume_id, name, created_at, status: "available", size: 10 }),
        },
        "standard-snapshot": { snapshot_id: id },
        "snapshot-group": { snapshot_group_id: id },
        "cluster-snapshot": { snapshot: { id } },
      }[kind],
    );
    expect(outcomes(second)).toEqual(["create existing", "run done"]);
    expect(second.records[0]).toMatchObject({ snapshot_id: id, name, attempts: 0 });
  });

  test(`${create.name} creates one snapshot for two simultaneous requests with the same Idempotency-Key`, async () => {
    const fixture = await createFixture(create);
    const responses = await Promise.all([fixture.postWithKey(), fixture.postWithKey()]);
    expect(responses.map(outcomeHeader).sort()).toEqual(["accepted", "existing"]);
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test(`${create.name}, invoked directly without an Idempotency-Key, creates a second snapshot only if the FunctionGraph request id is different`, async () => {
    const fixture = await createFixture(create, { creationMs: 0 });
    const invoke = (requestId: string) =>
      // Two cluster snapshots cannot have the same name, so each request has its own name.
      fixture.direct(fixture.body(kind === "cluster-snapshot" ? { name: `of-${requestId}` } : {}), { requestId });
    await invoke("first");
    fixture.clock.advance(60_000);
    const repeated = await invoke("first");
    const other = await invoke("second");
    expect([outcomes(repeated)[0], outcomes(other)[0]]).toEqual(["create existing", "create accepted"]);
    expect(fixture.snapshots()).toHaveLength(2);
  });

  test(`${create.name} responds 409 and creates nothing if an Idempotency-Key is repeated with a different request body`, async () => {
    const fixture = await createFixture(create);
    await fixture.postWithKey({ description: "one" });
    fixture.clock.advance(60_000);
    const response = await fixture.postWithKey({ description: "another" });
    expect(response.result.statusCode).toBe(409);
    expect(errorOf(response)).toMatchObject({ code: "Conflict", reason: "Conflict" });
    expect(errorOf(response).message).toContain(fixture.snapshots()[0]?.id);
    expect(outcomes(response)).toEqual(["create failed", "run failed"]);
    expect(creates(fixture)).toHaveLength(1);
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test(`if the create response is lost, ${create.name} finds the new snapshot in a list response and reports this snapshot`, async () => {
    const fixture = await createFixture(create);
    fixture.failCreate({ type: "reset", after: true }, { nth: 1 });
    const response = await fixture.post();
    expect(response.result.statusCode).toBe(status);
    expect(outcomeHeader(response)).toBe("accepted");
    expect(creates(fixture)).toHaveLength(1);
    const [made, ...others] = fixture.snapshots();
    expect(others).toEqual([]);
    expect(response.records[0]).toMatchObject({ outcome: "accepted", attempts: 1, snapshot_id: made?.id });
  });

  test(`${create.name} repeats a create request that did not reach the service`, async () => {
    const fixture = await createFixture(create);
    fixture.failCreate({ type: "reset", after: false }, { nth: 1 });
    const { result, records } = await fixture.post();
    expect(result.statusCode).toBe(status);
    expect(fixture.snapshots()).toHaveLength(1);
    expect(records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
  });
});

test.each(byName([SNAPSHOT, STANDARD, GROUP]))(
  "%s creates a second snapshot with a new name for a repeated Idempotency-Key if the first snapshot failed",
  async (_name, create) => {
    const fixture = await createFixture(create);
    fixture.cloud.endWith(fixture.resourceId, "error");
    const headers: string[] = [];
    for (let request = 1; request <= 3; request += 1) {
      headers.push(outcomeHeader(await fixture.postWithKey()));
      fixture.clock.advance(60_000);
    }
    const [failed, good, ...others] = fixture.snapshots();
    expect(others).toEqual([]);
    expect(failed?.status).toBe("error");
    expect(good?.status).toMatch(/^ava/);
    expect(good?.name).not.toBe(failed?.name);
    expect(headers).toEqual(["accepted", "accepted", "existing"]);
    expect((await fixture.postWithKey()).result.body).toContain(good?.id);
  },
);

test("create-snapshot ignores the order of the fields in the body when it compares two requests with the same Idempotency-Key", async () => {
  const fixture = await createFixture(SNAPSHOT);
  const { volume_id } = fixture.resource;
  const headers = { "idempotency-key": "deploy-7" };
  await fixture.http(apig({ snapshot: { volume_id, force: true, metadata: { a: "1", b: "2" } } }, headers));
  const reordered = { snapshot: { metadata: { b: "2", a: "1" }, force: true, volume_id } };
  expect(outcomeHeader(await fixture.http(apig(reordered, headers)))).toBe("existing");
});

test("create-cluster-snapshot responds 409 and advises to delete the failed snapshot if a failed snapshot already has the requested name", async () => {
  const fixture = await createFixture(CLUSTER);
  fixture.cloud.endWith(fixture.resourceId, "UNAVAILABLE");
  await fixture.postWithKey();
  fixture.clock.advance(60_000);
  const response = await fixture.postWithKey();
  expect(response.result.statusCode).toBe(409);
  expect(errorOf(response).message).toMatch(/"snapshot-\d+" is the name of snapshot .*delete that snapshot/);
});

test("create-cluster-snapshot recognizes a repeated request by the snapshot name if the description is so long that the marker does not fit", async () => {
  const fixture = await createFixture(CLUSTER);
  const description = "x".repeat(256);
  await fixture.postWithKey({ description });
  fixture.clock.advance(60_000);
  expect(outcomeHeader(await fixture.postWithKey({ description }))).toBe("existing");
  expect(fixture.snapshots().map((made) => made.description)).toEqual([description]);
});

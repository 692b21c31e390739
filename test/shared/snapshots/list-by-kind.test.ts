import { expect, test } from "vitest";
import type { SnapshotError } from "../../../shared/core/errors.ts";
import { instant } from "../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { listByKind } from "../../../shared/snapshots/list-by-kind.ts";
import { cloudError, createFixture, type DomainFixture, group, snapshot, snapshotOf } from "../../support/domain.ts";

const keepAll = (found: FoundSnapshot) => found;

/** Returns the listed snapshots of each kind as `kind: ids`. */
async function lists({ runContext }: DomainFixture) {
  const seen: string[] = [];
  let error: SnapshotError | undefined;
  const outdated = await listByKind({ action: "verify", policy: "nightly" }, runContext, keepAll, (kind, found) => {
    seen.push(`${kind.name}: ${found.map(({ id }) => id).join(", ")}`);
  }).catch((thrown: SnapshotError) => {
    error = thrown;
    return [];
  });
  return { seen, error, outdated: outdated.map(({ name }) => name) };
}

test("listByKind lists every kind once", async () => {
  const fixture = createFixture();
  fixture.cloud.add(snapshot, snapshotOf("a", "disk-1"), snapshotOf("b", "disk-2"));
  fixture.cloud.add(group, snapshotOf("c", "server-1"));
  const { seen, error } = await lists(fixture);
  expect(error).toBeUndefined();
  expect(fixture.notices).toEqual([]);
  expect(seen).toEqual(["snapshot: a, b", "standard-snapshot: ", "snapshot-group: c", "cluster-snapshot: "]);
  expect(fixture.cloud.requests()).toEqual([
    "listAll snapshot",
    "listAll standard-snapshot",
    "listAll snapshot-group",
    "listAll cluster-snapshot",
  ]);
  expect(fixture.records).toEqual([]);
});

test("listByKind writes a failed record for a kind that cannot be listed and continues with the others", async () => {
  const fixture = createFixture();
  const error = cloudError("AccessDenied");
  fixture.cloud.at("listAll", undefined, error);
  const { seen } = await lists(fixture);
  expect(seen).toEqual(["snapshot: ", "snapshot-group: ", "cluster-snapshot: "]);
  expect(fixture.records).toEqual([
    {
      action: "verify",
      policy: "nightly",
      kind: "standard-snapshot",
      outcome: "failed",
      detail: "The snapshots of this kind could not be listed.",
      error,
    },
  ]);
});

test("listByKind lists a kind again after a transient error", async () => {
  const fixture = createFixture();
  fixture.cloud.at("listAll", cloudError("CloudError"));
  expect((await lists(fixture)).seen).toHaveLength(4);
  expect(fixture.records).toEqual([]);
});

test("listByKind returns the kinds that were listed before it waited for the list of another kind", async () => {
  const outdated = async (...events: Parameters<DomainFixture["cloud"]["at"]>[1][]) => {
    const fixture = createFixture();
    fixture.cloud.at("listAll", ...events);
    return (await lists(fixture)).outdated;
  };
  expect(await outdated()).toEqual([]);
  expect(await outdated(cloudError("CloudError"))).toEqual([]);
  expect(await outdated(undefined, cloudError("AccessDenied"), cloudError("CloudError"))).toEqual(["snapshot"]);
  expect(await outdated(undefined, cloudError("Throttled"), undefined, cloudError("AccessDenied"))).toEqual([
    "snapshot",
  ]);
  expect(await outdated(undefined, undefined, undefined, cloudError("Throttled"))).toEqual([
    "snapshot",
    "standard-snapshot",
    "snapshot-group",
  ]);
  // This region does not offer the first kind.
  expect(await outdated(cloudError("Unsupported"), undefined, cloudError("Throttled"))).toEqual(["standard-snapshot"]);
});

test("listByKind adds a notice for kinds that the endpoint does not offer, and rejects if it offers none", async () => {
  const fixture = createFixture();
  const unsupported = cloudError("Unsupported", { status: 404, code: "APIGW.0101" });
  fixture.cloud.at("listAll", unsupported, cloudError("Unsupported"), unsupported);
  expect((await lists(fixture)).seen).toEqual(["cluster-snapshot: "]);
  expect(fixture.records).toEqual([]);
  expect(fixture.notices).toEqual([
    "snapshot, standard-snapshot, snapshot-group: not offered at this endpoint (404 APIGW.0101), so not listed. If the region offers this kind, correct *_ENDPOINT.",
  ]);

  const silent = createFixture();
  silent.cloud.at("listAll", cloudError("Unsupported"));
  await lists(silent);
  expect(silent.notices[0]).toContain("snapshot: not offered at this endpoint (no status without a code)");

  const nowhere = createFixture();
  nowhere.cloud.always("listAll", unsupported);
  const { seen, error } = await lists(nowhere);
  expect(seen).toEqual([]);
  expect(error).toBe(unsupported);
  expect(nowhere.notices).toEqual([]);
});

test("listByKind keeps only the snapshots that keep returns", async () => {
  const fixture = createFixture();
  fixture.cloud.add(snapshot, snapshotOf("kept", "disk-1"), snapshotOf("other", "disk-1"));
  const seen: string[][] = [];
  const keep = (found: FoundSnapshot) => (found.id === "kept" ? { ...found, name: "lean" } : undefined);
  await listByKind({ action: "verify" }, fixture.runContext, keep, (_kind, found) => {
    seen.push(found.map(({ id, name }) => `${id} ${name}`));
  });
  expect(seen).toEqual([["kept lean"], [], [], []]);
});

test("listByKind ends the work on a list at the deadline and records that the kind failed", async () => {
  const fixture = createFixture({ seconds: 10 });
  fixture.cloud.add(snapshot, ...Array.from({ length: 1_000 }, (_, index) => snapshotOf(`s-${index}`, "disk-1")));
  // The work on each snapshot takes 20 ms.
  let worked = 0;
  const now = () => instant(fixture.time.now() + worked * 20);
  const runContext = {
    ...fixture.runContext,
    retryBudget: { ...fixture.runContext.retryBudget, time: { ...fixture.time, now } },
  };
  await listByKind({ action: "verify" }, runContext, keepAll, async (_kind, found, pause) => {
    for (const _ of found) {
      await pause();
      worked += 1;
    }
  });
  expect(worked).toBe(500);
  expect(fixture.records[0]).toMatchObject({
    kind: "snapshot",
    outcome: "failed",
    error: {
      reason: "DeadlineExceeded",
      message: "The invocation's time ran out before all listed snapshots were checked. Raise the function's timeout.",
    },
  });
  // Timers and sockets could run 5 times.
  expect(fixture.time.slept.filter((ms) => ms === 0)).toHaveLength(5);
});

test("listByKind lists a kind only once if it has more snapshots than fit into memory", async () => {
  const fixture = createFixture();
  fixture.cloud.add(snapshot, snapshotOf("a", "disk-1"), snapshotOf("b", "disk-2"));
  await listByKind({ action: "verify" }, { ...fixture.runContext, maxSnapshots: 1 }, keepAll, () => {});
  expect(fixture.cloud.requests().filter((request) => request === "listAll snapshot")).toHaveLength(1);
  expect(fixture.records[0]).toMatchObject({
    kind: "snapshot",
    outcome: "failed",
    error: {
      reason: "Misconfigured",
      message: "More than 1 snapshots do not fit into memory. Give the function more memory.",
    },
  });
});

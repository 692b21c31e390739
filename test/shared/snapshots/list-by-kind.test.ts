import { expect, test } from "vitest";
import type { SnapshotError } from "../../../shared/core/errors.ts";
import { instant } from "../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { listByKind } from "../../../shared/snapshots/list-by-kind.ts";
import {
  cloudError,
  createFixture,
  type DomainFixture,
  group,
  type PlannedEvent,
  snapshot,
  snapshotOf,
} from "../../support/domain.ts";

const keepAll = (found: FoundSnapshot) => found;

/** Calls `listByKind`. Returns a line `kind: ids` for each call of the visitor, the thrown error, the outdated kinds, and whether all kinds were listed. */
async function listAllKinds({ runContext }: DomainFixture) {
  const seen: string[] = [];
  let error: SnapshotError | undefined;
  const { outdated, isComplete } = await listByKind(
    { action: "verify", policy: "nightly" },
    runContext,
    keepAll,
    (kind, found) => {
      seen.push(`${kind.name}: ${found.map(({ id }) => id).join(", ")}`);
    },
  ).catch((thrown: SnapshotError) => {
    error = thrown;
    return { outdated: [] as { name: string }[], isComplete: false };
  });
  return { seen, error, outdated: outdated.map(({ name }) => name), isComplete };
}

test("listByKind sends one list request for each of the four snapshot kinds", async () => {
  const fixture = createFixture();
  fixture.cloud.add(snapshot, snapshotOf("a", "disk-1"), snapshotOf("b", "disk-2"));
  fixture.cloud.add(group, snapshotOf("c", "server-1"));
  const { seen, error } = await listAllKinds(fixture);
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

test("listByKind writes a failed record for a kind whose list request fails, and continues with the other kinds", async () => {
  const fixture = createFixture();
  const error = cloudError("AccessDenied");
  fixture.cloud.onNextCalls("listAll", undefined, error);
  const { seen } = await listAllKinds(fixture);
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

test("listByKind repeats the list request of a kind after a transient error", async () => {
  const fixture = createFixture();
  fixture.cloud.onNextCalls("listAll", cloudError("CloudError"));
  expect((await listAllKinds(fixture)).seen).toHaveLength(4);
  expect(fixture.records).toEqual([]);
});

test("listByKind returns a kind as outdated if the list request of a later kind had to be repeated", async () => {
  const outdated = async (...events: PlannedEvent[]) => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("listAll", ...events);
    return (await listAllKinds(fixture)).outdated;
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
  // Unsupported means that the region does not offer the kind snapshot, so this kind cannot be outdated.
  expect(await outdated(cloudError("Unsupported"), undefined, cloudError("Throttled"))).toEqual(["standard-snapshot"]);
});

test("listByKind adds a notice for kinds that the endpoint does not offer, and fails if the endpoint offers no kind", async () => {
  const fixture = createFixture();
  const unsupported = cloudError("Unsupported", { status: 404, code: "APIGW.0101" });
  fixture.cloud.onNextCalls("listAll", unsupported, cloudError("Unsupported"), unsupported);
  expect((await listAllKinds(fixture)).seen).toEqual(["cluster-snapshot: "]);
  expect(fixture.records).toEqual([]);
  expect(fixture.notices).toEqual([
    "snapshot, standard-snapshot, snapshot-group: the endpoint does not offer these snapshots (404 APIGW.0101), so they were not listed. If the region offers them, correct the variable *_ENDPOINT.",
  ]);

  const withoutStatus = createFixture();
  withoutStatus.cloud.onNextCalls("listAll", cloudError("Unsupported"));
  await listAllKinds(withoutStatus);
  expect(withoutStatus.notices[0]).toContain(
    "snapshot: the endpoint does not offer these snapshots (no status without a code)",
  );

  const withoutAnyKind = createFixture();
  withoutAnyKind.cloud.onEveryCall("listAll", unsupported);
  const { seen, error } = await listAllKinds(withoutAnyKind);
  expect(seen).toEqual([]);
  expect(error).toBe(unsupported);
  expect(withoutAnyKind.notices).toEqual([]);
});

test("listByKind passes the results of the keep function to the visitor, and drops snapshots for which keep returns undefined", async () => {
  const fixture = createFixture();
  fixture.cloud.add(snapshot, snapshotOf("kept", "disk-1"), snapshotOf("other", "disk-1"));
  const seen: string[][] = [];
  const keep = (found: FoundSnapshot) => (found.id === "kept" ? { ...found, name: "compact" } : undefined);
  await listByKind({ action: "verify" }, fixture.runContext, keep, (_kind, found) => {
    seen.push(found.map(({ id, name }) => `${id} ${name}`));
  });
  expect(seen).toEqual([["kept compact"], [], [], []]);
});

test("listByKind stops checking snapshots at the deadline and writes a failed record for the kind of these snapshots", async () => {
  const fixture = createFixture({ seconds: 10 });
  fixture.cloud.add(snapshot, ...Array.from({ length: 1_000 }, (_, index) => snapshotOf(`s-${index}`, "disk-1")));
  // Checking a snapshot takes 20 ms.
  let checked = 0;
  const now = () => instant(fixture.time.now() + checked * 20);
  const runContext = {
    ...fixture.runContext,
    retryBudget: { ...fixture.runContext.retryBudget, time: { ...fixture.time, now } },
  };
  await listByKind({ action: "verify" }, runContext, keepAll, async (_kind, found, pause) => {
    for (const _ of found) {
      await pause();
      checked += 1;
    }
  });
  expect(checked).toBe(500);
  expect(fixture.records[0]).toMatchObject({
    kind: "snapshot",
    outcome: "failed",
    error: {
      reason: "DeadlineExceeded",
      message: "The invocation's time ran out before all listed snapshots were checked. Raise the function's timeout.",
    },
  });
  // `pause` has slept for 0 ms five times, which lets timers and sockets run.
  expect(fixture.time.slept.filter((ms) => ms === 0)).toHaveLength(5);
});

test("listByKind does not repeat the list request of a kind that has more snapshots than fit into memory", async () => {
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

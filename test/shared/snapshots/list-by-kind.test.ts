import { expect, test } from "vitest";
import type { SnapshotError } from "../../../shared/core/errors.ts";
import { instant } from "../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { listByKind } from "../../../shared/snapshots/list-by-kind.ts";
import { group, refusal, snapshot, snapshotOf, stage } from "../../support/domain.ts";

const keepAll = (found: FoundSnapshot) => found;

/** Returns the listed snapshots of each kind as `kind: ids`. */
async function lists({ means: runContext }: ReturnType<typeof stage>) {
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
  const here = stage();
  here.cloud.add(snapshot, snapshotOf("a", "disk-1"), snapshotOf("b", "disk-2"));
  here.cloud.add(group, snapshotOf("c", "server-1"));
  const { seen, error } = await lists(here);
  expect(error).toBeUndefined();
  expect(here.remarks).toEqual([]);
  expect(seen).toEqual(["snapshot: a, b", "standard-snapshot: ", "snapshot-group: c", "cluster-snapshot: "]);
  expect(here.cloud.asked()).toEqual([
    "listAll snapshot",
    "listAll standard-snapshot",
    "listAll snapshot-group",
    "listAll cluster-snapshot",
  ]);
  expect(here.records).toEqual([]);
});

test("listByKind writes a failed record for a kind that cannot be listed and continues with the others", async () => {
  const here = stage();
  const error = refusal("AccessDenied");
  here.cloud.at("listAll", undefined, error);
  const { seen } = await lists(here);
  expect(seen).toEqual(["snapshot: ", "snapshot-group: ", "cluster-snapshot: "]);
  expect(here.records).toEqual([
    {
      action: "verify",
      policy: "nightly",
      kind: "standard-snapshot",
      outcome: "failed",
      detail: "These snapshots could not be listed.",
      error,
    },
  ]);
});

test("listByKind lists a kind again after a transient error", async () => {
  const here = stage();
  here.cloud.at("listAll", refusal("CloudError"));
  expect((await lists(here)).seen).toHaveLength(4);
  expect(here.records).toEqual([]);
});

test("listByKind returns the kinds that were listed before it waited for the list of another kind", async () => {
  const outdated = async (...events: Parameters<ReturnType<typeof stage>["cloud"]["at"]>[1][]) => {
    const here = stage();
    here.cloud.at("listAll", ...events);
    return (await lists(here)).outdated;
  };
  expect(await outdated()).toEqual([]);
  expect(await outdated(refusal("CloudError"))).toEqual([]);
  expect(await outdated(undefined, refusal("AccessDenied"), refusal("CloudError"))).toEqual(["snapshot"]);
  expect(await outdated(undefined, refusal("Throttled"), undefined, refusal("AccessDenied"))).toEqual(["snapshot"]);
  expect(await outdated(undefined, undefined, undefined, refusal("Throttled"))).toEqual([
    "snapshot",
    "standard-snapshot",
    "snapshot-group",
  ]);
  // This region does not offer the first kind.
  expect(await outdated(refusal("Unsupported"), undefined, refusal("Throttled"))).toEqual(["standard-snapshot"]);
});

test("listByKind adds a notice for kinds that the endpoint does not offer, and rejects if it offers none", async () => {
  const here = stage();
  const unsupported = refusal("Unsupported", { status: 404, code: "APIGW.0101" });
  here.cloud.at("listAll", unsupported, refusal("Unsupported"), unsupported);
  expect((await lists(here)).seen).toEqual(["cluster-snapshot: "]);
  expect(here.records).toEqual([]);
  expect(here.remarks).toEqual([
    "snapshot, standard-snapshot, snapshot-group: not offered at this endpoint (404 APIGW.0101), so not looked at. Where the cloud has them, correct *_ENDPOINT.",
  ]);

  const silent = stage();
  silent.cloud.at("listAll", refusal("Unsupported"));
  await lists(silent);
  expect(silent.remarks[0]).toContain("snapshot: not offered at this endpoint (no status without a code)");

  const nowhere = stage();
  nowhere.cloud.always("listAll", unsupported);
  const { seen, error } = await lists(nowhere);
  expect(seen).toEqual([]);
  expect(error).toBe(unsupported);
  expect(nowhere.remarks).toEqual([]);
});

test("listByKind keeps only the snapshots that keep returns", async () => {
  const here = stage();
  here.cloud.add(snapshot, snapshotOf("kept", "disk-1"), snapshotOf("other", "disk-1"));
  const seen: string[][] = [];
  const keep = (found: FoundSnapshot) => (found.id === "kept" ? { ...found, name: "lean" } : undefined);
  await listByKind({ action: "verify" }, here.means, keep, (_kind, found) => {
    seen.push(found.map(({ id, name }) => `${id} ${name}`));
  });
  expect(seen).toEqual([["kept lean"], [], [], []]);
});

test("listByKind ends the work on a list at the deadline and records that the kind failed", async () => {
  const here = stage({ seconds: 10 });
  here.cloud.add(snapshot, ...Array.from({ length: 1_000 }, (_, index) => snapshotOf(`s-${index}`, "disk-1")));
  // The work on each snapshot takes 20 ms.
  let worked = 0;
  const now = () => instant(here.time.now() + worked * 20);
  const means = { ...here.means, retryBudget: { ...here.means.retryBudget, time: { ...here.time, now } } };
  await listByKind({ action: "verify" }, means, keepAll, async (_kind, found, pause) => {
    for (const _ of found) {
      await pause();
      worked += 1;
    }
  });
  expect(worked).toBe(500);
  expect(here.records[0]).toMatchObject({
    kind: "snapshot",
    outcome: "failed",
    error: {
      reason: "DeadlineExceeded",
      message:
        "The invocation's time ran out before all snapshots in the list were checked. Raise the function's timeout.",
    },
  });
  // Timers and sockets could run 5 times.
  expect(here.time.slept.filter((ms) => ms === 0)).toHaveLength(5);
});

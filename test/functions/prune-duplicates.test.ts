/** Tests that `prune-snapshots` deletes duplicates, and nothing else, for a policy without a retention. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { instant } from "../../shared/core/instant.ts";
import { snapshotName } from "../../shared/snapshots/marker.ts";
import { expectSuccess, HOUR_MS, KINDS, START_MS } from "../support/common.ts";
import { START, timerEvent } from "../support/environment.ts";
import { resourceOf, targetOf } from "../support/kinds.ts";
import { createFixture, findRecord, keepLast } from "../support/prunes.ts";

const DUPLICATES_ONLY = { policy: "nightly" };
const SECOND = 1 / 86_400;

describe.each(KINDS)("a policy without a retention and with snapshots of the kind %s", (kind) => {
  test(`prune-snapshots without a retention deletes only the younger of two duplicate ${kind}s`, async () => {
    const { cloud, prune, addOld, remainingIds, deletedIds } = await createFixture();
    const kept = [addOld(kind, 90), addOld(kind, 40, { status: "error" }), addOld(kind, 5, { key: "once" })];
    const younger = addOld(kind, 5 - SECOND, { key: "once" });
    kept.push(addOld(kind, 1), addOld(kind, 5, { key: "once", policy: "weekly" }));
    const { result, records } = expectSuccess(await prune(DUPLICATES_ONLY));
    expect(result).toMatchObject({ targets: 5, outcomes: { deleted: 1 } });
    expect(records).toMatchObject([
      {
        action: "prune",
        kind,
        outcome: "deleted",
        snapshot_id: younger,
        rule: `twin of ${kept[2]}`,
        policy: "nightly",
      },
      { action: "run", outcome: "done", level: "info" },
    ]);
    expect(deletedIds()).toEqual([younger]);
    expect(remainingIds()).toEqual(kept.sort());
    expect(cloud.requests.filter(({ method }) => method === "DELETE")).toHaveLength(1);
  });

  test(`prune-snapshots recognizes the name that scheduled-snapshots generated for a ${kind}, and deletes the duplicate`, async () => {
    const { cloud, clock, invoke, resourceIds, prune, addOld, deletedIds } = await createFixture();
    const policy = { ...DUPLICATES_ONLY, targets: [targetOf(kind, [resourceIds[kind]])] };
    expectSuccess(await invoke(scheduledSnapshots, timerEvent(policy, START)));
    const created = cloud.snapshots(kind).find((found) => resourceOf(found) === resourceIds[kind]);
    clock.advance(2 * HOUR_MS);
    const marker = Object.fromEntries(
      (created?.description ?? "").split(" ").map((label) => label.split(":") as [string, string]),
    );
    const { key = "", content = "" }: Record<string, string> = { ...marker, ...created?.metadata, ...created?.tags };
    const identity = { kind, resource: resourceIds[kind], key, attempt: 2 };
    const younger = addOld(kind, -SECOND, {
      marker: { key, content },
      name: snapshotName("nightly", instant(START_MS), identity),
    });
    const { records } = expectSuccess(await prune(DUPLICATES_ONLY));
    expect(findRecord(records, younger)).toMatchObject({ outcome: "deleted", rule: `twin of ${created?.id}` });
    expect(deletedIds()).toEqual([younger]);
  });

  test(`prune-snapshots keeps the younger of two duplicate ${kind}s that were created less than 1 hour ago, and deletes the younger one an hour later`, async () => {
    const { clock, prune, addOld, deletedIds } = await createFixture();
    const [older = "", younger = ""] = [1 / 48, 1 / 48 - SECOND].map((days) => addOld(kind, days, { key: "once" }));
    const early = expectSuccess(await prune(DUPLICATES_ONLY));
    expect(deletedIds()).toEqual([]);
    expect(early.records).toMatchObject([
      {
        action: "run",
        outcome: "done",
        level: "warn",
        detail: `Not deleted as duplicates: ${younger} (possible twin of ${older}, but ${younger} was created less than 1 hour ago).`,
      },
    ]);
    const kept = expectSuccess(await prune(keepLast(5)));
    expect(findRecord(kept.records, younger)).toMatchObject({
      outcome: "kept",
      rule: `possible twin of ${older}, but ${younger} was created less than 1 hour ago`,
    });
    clock.advance(HOUR_MS);
    expectSuccess(await prune(DUPLICATES_ONLY));
    expect(deletedIds()).toEqual([younger]);
  });
});

test.each([
  "pre-deploy",
  "disk-attached",
  "create-snapshot",
  "create-standard-snapshot",
  "create-snapshot-group",
  "create-cluster-snapshot",
])(
  'prune-snapshots deletes the younger of two duplicates with the policy name "%s" even if the policy has no retention',
  async (policy) => {
    const { prune, addOld, deletedIds } = await createFixture();
    const [, younger] = [5, 5 - SECOND].map((days) => addOld("snapshot", days, { key: "once", policy }));
    addOld("snapshot", 9, { policy });
    const { records } = expectSuccess(await prune({ policy }));
    expect(deletedIds()).toEqual([younger]);
    expect(records.at(-1)).toMatchObject({ action: "run", policy, outcome: "done" });
  },
);

test("prune-snapshots with dry_run and without a retention plans the deletion of a duplicate and deletes nothing", async () => {
  const { prune, addOld, deletedIds } = await createFixture();
  const [, younger = ""] = [5, 5 - SECOND].map((days) => addOld("snapshot", days, { key: "once" }));
  const { result, records } = expectSuccess(await prune({ ...DUPLICATES_ONLY, dry_run: true }));
  expect(result.outcomes).toEqual({ planned: 1 });
  expect(findRecord(records, younger)).toMatchObject({ outcome: "planned", detail: "deleted" });
  expect(deletedIds()).toEqual([]);
});

test("prune-snapshots rejects make_room in a policy without a retention", async () => {
  const { prune } = await createFixture();
  const { error } = await prune({ ...DUPLICATES_ONLY, make_room: true });
  expect(error?.message).toContain("make_room: expected a retention with at least one keep_ rule above 0, got none");
});

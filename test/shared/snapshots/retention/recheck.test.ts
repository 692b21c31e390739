/** Tests what prune reads again immediately before a delete request, and when it keeps the snapshot then. */
import { expect, test } from "vitest";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import type { SnapshotService } from "../../../../shared/snapshots/ports.ts";
import { toPendingDeletion } from "../../../../shared/snapshots/retention/pending-deletion.ts";
import { recheck } from "../../../../shared/snapshots/retention/recheck.ts";
import { createFixture, group, START, STATUS, snapshot } from "../../../support/domain.ts";
import { duplicatesOf, MEMBERS } from "../../../support/duplicates.ts";

const RULE = "kept by no rule";
const DETAIL = `The plan changed after another list request. Previous rule: ${RULE}.`;
const [memberA, memberB] = MEMBERS as [FoundSnapshot, FoundSnapshot];

/** Plans the deletion of `found`, as a duplicate if `original` is given, and calls `recheck` with these responses. */
async function recheckWith(
  kind: Kind,
  found: FoundSnapshot,
  responses: { listed?: FoundSnapshot[]; members?: FoundSnapshot[] },
  original?: FoundSnapshot,
) {
  const { runContext } = createFixture();
  const requests: unknown[] = [];
  const service: Partial<SnapshotService> = {
    listFor: async (options) => {
      requests.push(options);
      return responses.listed ?? [];
    },
    ...(responses.members && {
      membersOf: async (id: string) => {
        requests.push(id);
        return responses.members ?? [];
      },
    }),
  };
  const verdict = { snapshot: found, decision: "deleted" as const, rule: RULE, isDuplicate: original !== undefined };
  const deletion = toPendingDeletion({ kind, verdict, ...(original && { original }) });
  const options = { hold: new Set<string>(), now: START };
  const result = await recheck(deletion, service as SnapshotService, runContext.retryBudget, options);
  return { result, requests };
}

const duplicates = (kind: Kind, younger = {}) => duplicatesOf(kind, {}, younger) as [FoundSnapshot, FoundSnapshot];

test("recheck lists the snapshots of a duplicate's disk, and allows the deletion while both snapshots are unchanged", async () => {
  const [old, young] = duplicates(snapshot);
  expect(await recheckWith(snapshot, young, { listed: [young, old] }, old)).toEqual({
    result: undefined,
    requests: [{ volume_id: "res-1" }],
  });
});

test("recheck lists the snapshot groups of the members' disks if a duplicate group belongs to no server", async () => {
  const [old, young] = duplicatesOf(group, {}, {}, { resource: undefined }) as [FoundSnapshot, FoundSnapshot];
  expect(await recheckWith(group, young, { listed: [young, old] }, old)).toEqual({
    result: undefined,
    requests: [{ volume_ids: ["disk-a", "disk-b"] }],
  });
});

test("recheck keeps a duplicate if its older snapshot is no longer listed or has failed", async () => {
  const [old, young] = duplicates(snapshot);
  const kept = (brokenRule: string) => ({
    outcome: "kept",
    rule: `possible twin of old, but ${brokenRule}`,
    detail: DETAIL,
  });
  const resultFor = async (...listed: FoundSnapshot[]) => (await recheckWith(snapshot, young, { listed }, old)).result;
  expect(await resultFor(young)).toEqual(kept("old is no longer listed"));
  expect(await resultFor(young, { ...old, ...STATUS.failed })).toEqual(kept("old has the status error"));
});

test("recheck returns that a duplicate is gone or in deletion, and does not compare it any more", async () => {
  const [old, young] = duplicates(snapshot);
  const resultFor = async (...listed: FoundSnapshot[]) => (await recheckWith(snapshot, young, { listed }, old)).result;
  expect(await resultFor(old)).toBe("gone");
  expect(await resultFor(old, { ...young, ...STATUS.deleting })).toEqual({
    outcome: "deleted",
    detail: "Already being deleted.",
  });
});

test("recheck reads the members of a group again, and allows the deletion if the members are the same in another order", async () => {
  const [found] = duplicates(group);
  expect(await recheckWith(group, found, { members: [memberB, memberA] })).toEqual({
    result: undefined,
    requests: ["old"],
  });
});

test.each([
  ["one member is missing", [memberA]],
  ["one member has another id", [memberA, { ...memberB, id: "m-other" }]],
  ["there are no members", []],
])("recheck keeps a group if, in the new list of its members, %s", async (_, members) => {
  const [found] = duplicates(group);
  expect((await recheckWith(group, found, { members })).result).toEqual({
    outcome: "kept",
    rule: "its members have changed since the plan",
    detail: DETAIL,
  });
});

test("recheck holds a group if one of its members is held now", async () => {
  const [found] = duplicates(group);
  const members = [memberA, { ...memberB, labels: { hold: "true" } }];
  expect((await recheckWith(group, found, { members })).result).toEqual({
    outcome: "held",
    rule: "its member m-disk-b is held by its label",
    detail: DETAIL,
  });
});

test("recheck sends no request for a snapshot that is neither a duplicate nor a group", async () => {
  const [found] = duplicates(snapshot);
  const { result, requests } = await recheckWith(snapshot, found, { members: [memberA] });
  expect([result, requests]).toEqual([undefined, []]);
});

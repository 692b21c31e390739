/** Two snapshots of one create request, and the changes that break one of the rules for the deletion of a duplicate. */
import type { Instant } from "../../shared/core/instant.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { snapshotName } from "../../shared/snapshots/marker.ts";
import { resourceOf } from "../../shared/snapshots/retention/plan.ts";
import {
  cluster,
  group,
  HOUR_MS,
  MINUTE_MS,
  markerOf,
  START,
  STATUS,
  snapshot,
  snapshotOf,
  standard,
  startPlus,
} from "./domain.ts";

export type Changes = Partial<FoundSnapshot>;

export const marker = markerOf("once");
export const MEMBERS = ["disk-a", "disk-b"].map((disk) =>
  snapshotOf(`m-${disk}`, disk, { marker: undefined, labels: {} }),
);

/** Returns the name that the create request generates in its nth attempt. */
export const generatedName = (kind: Kind, found: FoundSnapshot, attempt: number) =>
  snapshotName("nightly", START, {
    kind: kind.name,
    resource: resourceOf(found) ?? "",
    key: marker.idempotencyKey,
    attempt,
  });

/** Returns two duplicates that were created 5 h ago, one minute apart. All rules hold. */
export function duplicatesOf(
  kind: Kind,
  older: Changes = {},
  younger: Changes = {},
  base: Changes = {},
): FoundSnapshot[] {
  return [older, younger].map((changes, index) => {
    const found = snapshotOf(["old", "young"][index] as string, "res-1", {
      marker,
      created: startPlus(-5 * HOUR_MS + index * MINUTE_MS),
      ...(kind.hasMembers && { members: MEMBERS }),
      ...base,
    });
    return { ...found, name: generatedName(kind, found, index + 1), ...changes };
  });
}

const hold = { labels: { hold: "true" } };
const at = (milliseconds: number) => ({ created: startPlus(milliseconds) });
const [memberA, memberB] = MEMBERS as [FoundSnapshot, FoundSnapshot];

/** A change of the older snapshot, of the younger snapshot, or of both (`base`). */
export interface Break {
  older?: Changes;
  younger?: Changes;
  base?: Changes;
}

/** Changes that break only one rule: their description, the kind of snapshot, the changes, and the rule in the record. */
// biome-ignore format: the rules are easier to compare in rows
export const BROKEN: [what: string, kind: Kind, changes: Break, rule: string][] = [
  ["the older has no resource", snapshot, { older: { resource: undefined } }, "the resource of old is unknown"],
  ["the younger has no resource", snapshot, { younger: { resource: undefined } }, "the resource of young is unknown"],
  ["the older names no server, although the younger does", group,
    { older: { resource: undefined } }, "their resources differ"],
  ["the older is in creation", snapshot, { older: STATUS.creating }, "old has the status creating"],
  ["the older has an unknown status", snapshot, { older: STATUS.unknown }, "old has the status rollbacking"],
  ["the younger is in creation", snapshot, { younger: STATUS.creating }, "young has the status creating"],
  ["a member of the older has failed", group,
    { older: { members: [memberA, { ...memberB, ...STATUS.failed }] } }, "the member m-disk-b of old has the status error"],
  ["a member of the younger is in creation", group,
    { younger: { members: [{ ...memberA, ...STATUS.creating }, memberB] } },
    "the member m-disk-a of young has the status creating"],
  ["the older lacks a member", group, { older: { members: [memberA] } }, "their member disks differ or are unknown"],
  ["the younger lacks a member", group, { younger: { members: [memberA] } }, "their member disks differ or are unknown"],
  ["both groups have no members", group,
    { base: { members: [], ...at(-50 * MINUTE_MS) } }, "their member disks differ or are unknown"],
  ["a member of both groups names no disk", group,
    { base: { members: [memberA, { ...memberB, resource: undefined }] } }, "their member disks differ or are unknown"],
  ["the older was created in 1970", snapshot,
    { older: { created: 0 as Instant } }, "the creation time of old is unknown or not credible"],
  ["both were created in 2014", snapshot,
    { base: { created: Date.UTC(2014, 11, 31) as Instant } }, "the creation time of old is unknown or not credible"],
  ["the younger has no creation time", snapshot,
    { younger: { created: undefined } }, "the creation time of young is unknown or not credible"],
  ["the younger was created in the future", snapshot,
    { older: at(-10 * MINUTE_MS), younger: at(20 * MINUTE_MS) }, "the creation time of young is unknown or not credible"],
  ["the younger was created 61 minutes after the older", snapshot,
    { younger: at(-5 * HOUR_MS + 61 * MINUTE_MS) }, "they were created more than 1 hour apart"],
  ["the younger was created 59 minutes ago", snapshot,
    { older: at(-61 * MINUTE_MS), younger: at(-59 * MINUTE_MS) }, "young was created less than 1 hour ago"],
  ["the older has the label hold", snapshot, { older: hold }, "old must not be deleted (held by its label)"],
  ["the younger has the label hold", standard, { younger: hold }, "young must not be deleted (held by its label)"],
  ["the description of the older begins with hold", cluster,
    { older: { description: "Hold: audit" } }, "old must not be deleted (held by its description)"],
  ["a member of the younger has the label hold", group,
    { younger: { members: [memberA, { ...memberB, ...hold }] } },
    "young must not be deleted (its member m-disk-b is held by its label)"],
  ["the younger is a member of a group", standard,
    { younger: { raw: { snapshot_group_id: "g" } } }, "young must not be deleted (a member of a group)"],
  ["the older is a member of a group", standard,
    { older: { raw: { snapshot_group_id: "g" } } }, "old must not be deleted (a member of a group)"],
  ["the older has the snapshot_type copy", standard,
    { older: { raw: { snapshot_type: "copy" } } }, "old must not be deleted (a copy)"],
  ["the younger has an unknown snapshot_type", standard,
    { younger: { raw: { snapshot_type: "system" } } }, "young must not be deleted (its type is system)"],
  ["the older has the DWS type INCREMENTAL", cluster,
    { older: { raw: { type: "INCREMENTAL" } } }, "old must not be deleted (its type is INCREMENTAL)"],
  ["the older has a name that the request does not generate", snapshot,
    { older: { name: "before-update" } }, "their names differ, and at most one of the two names was generated from the request"],
  ["the younger has a name that the request does not generate", snapshot,
    { younger: { name: "nightly-20261121T020000Z-01234567" } },
    "their names differ, and at most one of the two names was generated from the request"],
  ["the younger has the name of attempt 21", snapshot,
    { younger: { name: generatedName(snapshot, snapshotOf("x", "res-1"), 21) } },
    "their names differ, and at most one of the two names was generated from the request"],
];

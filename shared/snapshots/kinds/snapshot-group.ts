import { credibleTime, type Instant } from "../../core/instant.ts";
import { readStringField } from "../../core/json.ts";
import { LISTED_AFTER_MS } from "../../core/retry.ts";
import type { AttachedDisk } from "../ports.ts";
import { createEvsMarkerWriter, createEvsReader, evsStateOf } from "./evs-fields.ts";
import type { FoundSnapshot, Kind, State } from "./kind.ts";

/** Reads a snapshot group without its members from a list response. */
export const readSnapshotGroup = /* @__PURE__ */ createEvsReader({ labels: "tags", resource: "server_id" });

/**
 * Defines the kind `snapshot-group`: an EVS v5 consistency group of snapshots (SOURCES.md#evs-groups-create). A group contains
 * all disks of one server, or individual disks. The snapshot marker is in `tags`. The API does not return the disks of a group
 * (SOURCES.md#evs-groups-hide-members), so only the marker identifies a group of individual disks.
 */
export const snapshotGroupKind = {
  name: "snapshot-group",
  envelope: "snapshot_group",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  hasMembers: true,
  target: {
    idsField: "server_ids",
    idOption: "server_id",
    defaults: { incremental: false, instant_access: false },
    description: { "x-max-bytes": 255 },
  },
  resourceOf: ({ server_id: server, volume_ids: volumes }) => {
    const ids = typeof server === "string" ? [server] : Array.isArray(volumes) ? volumes : [];
    return ids
      .map((id) => String(id).toLowerCase())
      .sort()
      .join(",");
  },
  mark: /* @__PURE__ */ createEvsMarkerWriter("tags"),
  read: readSnapshotGroup,
  readCreatedId: (response) => readStringField(response, "snapshot_group_id"),
  toResponse: ({ id }) => ({ snapshot_group_id: id }),
} as const satisfies Kind;

/**
 * Adds the members to a snapshot group and derives the group's state from its own status and the states of its members:
 *
 * - A group is available only if EVS reports the group as available and all its members are available.
 * - If a member failed, the group has failed. It is UNCONFIRMED whether EVS changes the status of a group when a member fails
 *   (SOURCES.md#evs-groups-status).
 * - A group without members is still in creation, even if EVS reports the group as available; see `isEmptyGroup`.
 * - If EVS reports a group as available, but the state of a member is `unknown` or `deleting`, the group's state is `unknown`.
 *
 * This function cannot detect that a member was deleted, because the API does not return the disks of a group. `compareWithDisks`
 * can detect it. Retention counts a group as a snapshot only of those disks for which a member remains.
 */
export function addMembers(group: FoundSnapshot, members: readonly FoundSnapshot[]): FoundSnapshot {
  return { ...group, members, state: combineStates(group.state, new Set(members.map(({ state }) => state))) };
}

/** Returns the state of a snapshot group as `addMembers` describes it. */
export function combineStates(groupState: State, memberStates: ReadonlySet<State>): State {
  if (groupState === "deleting") return groupState;
  if (memberStates.has("failed")) return "failed";
  if (groupState !== "available") return groupState;
  if (memberStates.has("deleting") || memberStates.has("unknown")) return "unknown";
  return memberStates.has("creating") || memberStates.size === 0 ? "creating" : "available";
}

/**
 * Returns whether EVS reports a snapshot group as available although the group has no members. New members can appear late in
 * list responses, and the list of members can be incomplete.
 */
export const isEmptyGroup = ({ status, members }: FoundSnapshot): boolean =>
  members?.length === 0 && evsStateOf(status) === "available";

/**
 * Returns whether the members of a snapshot group can be compared with the disks that the group must contain. EVS must report the
 * group as available, and every listed member must be available, too.
 */
export const seemsComplete = ({ state, status, members = [] }: FoundSnapshot): boolean =>
  evsStateOf(status) === "available" && (state === "available" || members.length === 0);

/**
 * Compares the members of a snapshot group with the disks that the group must contain. If a member is missing, the state becomes
 * `creating` during the first 6 seconds after the creation of the group, because a new member can appear late in list responses.
 * After 6 seconds, or if the creation time is unknown, the state becomes `failed`. If the function knows no disk that the group
 * must contain, the state becomes `unknown`. A disk that was attached after the creation of the group is ignored.
 *
 * @param disks the disks in the create request, or the disks of the server. A disk without a credible attachment time must be in
 *   the group.
 * @param created the creation time of the group, or undefined if it is unknown
 * @returns the group with its state, and with `stateDetail` if the state changed
 */
export function compareWithDisks(
  group: FoundSnapshot,
  disks: readonly AttachedDisk[],
  now: Instant,
  created: Instant | undefined,
): FoundSnapshot {
  const expected = disks.filter(({ attachedAt }) => {
    const since = credibleTime(attachedAt, now);
    return since === undefined || created === undefined || since <= created;
  });
  if (expected.length === 0) {
    return {
      ...group,
      state: "unknown",
      stateDetail: "EVS lists no disk that the server had at the group's creation",
    };
  }
  const covered = new Set(group.members?.map(({ resource }) => resource));
  const missing = expected.filter(({ id }) => !covered.has(id.toLowerCase()));
  if (missing.length === 0) return group;
  return {
    ...group,
    state: created !== undefined && now - created < LISTED_AFTER_MS ? "creating" : "failed",
    stateDetail: missing.map(({ id }) => `the member for disk ${id} is missing`).join(", "),
  };
}

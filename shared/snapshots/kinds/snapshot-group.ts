import { credibleTime, type Instant } from "../../core/instant.ts";
import { textAt } from "../../core/json.ts";
import { LISTED_AFTER_MS } from "../../core/retry.ts";
import type { AttachedDisk } from "../ports.ts";
import { evsStateOf, markEvs, readEvs } from "./evs-fields.ts";
import type { FoundSnapshot, Kind, State } from "./kind.ts";

/**
 * EVS v5 snapshot consistency group (seed 003): the disks of one server, or named disks. The marker is in `tags`.
 * The API does not show a group's disks (cloud-apis.md 2.2), so a group without a server is found by its key alone.
 */
export const snapshotGroup = {
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
  mark: markEvs("tags"),
  read: readEvs({ labels: "tags", resource: "server_id" }),
  createdId: (answer) => textAt(answer, "snapshot_group_id"),
  answer: ({ id }) => ({ snapshot_group_id: id }),
} as const satisfies Kind;

/**
 * A group with its members. It is available only when it and every member is (DESIGN 5.2); whether its own status follows
 * a failed member is UNCONFIRMED. A member in a status that is not known leaves a group that cannot be relied on; one
 * without members is not made yet. A member that is gone does not show here, because the API does not say which disks a
 * group was made of: `compareWithDisks` finds it, and retention counts a group for the disks of the members that it has.
 */
export function groupWith(group: FoundSnapshot, members: readonly FoundSnapshot[]): FoundSnapshot {
  return { ...group, members, state: stateWith(group.state, new Set(members.map(({ state }) => state))) };
}

function stateWith(own: State, ofMembers: ReadonlySet<State>): State {
  if (own === "deleting") return own;
  if (ofMembers.has("failed")) return "failed";
  if (own !== "available") return own;
  if (ofMembers.has("deleting") || ofMembers.has("unknown")) return "unknown";
  return ofMembers.has("creating") || ofMembers.size === 0 ? "creating" : "available";
}

/** Returns whether a group seems to be finished, so its members can be compared with the disks that it should have. */
export const seemsComplete = ({ state, status, members = [] }: FoundSnapshot): boolean =>
  evsStateOf(status) === "available" && (state === "available" || members.length === 0);

/**
 * Returns a group that seems to be complete in the state that it has once its members were compared with the disks that it
 * should have. While a list may show a member late, a group that lacks one is `creating`, then it is `failed`. With no disk
 * to compare it with, its state is `unknown`.
 *
 * @param disks the disks that the request named, or those of the server: a disk that was attached after the group was
 *   created is not in it, and a disk that gives no credible time of its attachment has to be
 * @param created when the group was created; undefined if that is not known
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
    return { ...group, state: "unknown", stateDetail: "the list of disks shows none that its server had by then" };
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

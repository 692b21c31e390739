import { textAt } from "../json.ts";
import { markEvs, readEvs } from "./evs.ts";
import type { FoundSnapshot, Kind, State } from "./kind.ts";

/**
 * EVS v5 snapshot consistency group (seed 003): the disks of one server, or named disks. The marker is in `tags`.
 * The API does not show a group's disks (cloud-apis.md 2.2), so a group without a server is found by its key alone.
 */
export const snapshotGroup = {
  kind: "snapshot-group",
  envelope: "snapshot_group",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  hasMembers: true,
  policy: {
    ids: "server_ids",
    id: "server_id",
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
 * without members is not made yet. That a member is gone cannot be seen, as nothing says which disks a group was made of
 * (cloud-apis.md 2.2): it is good for the disks of the members that it has, and retention counts by these.
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

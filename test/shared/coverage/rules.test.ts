/** The rules of the coverage report as a table: snapshots, the state that they give their disk or cluster, and its reason. */
import { expect, test } from "vitest";
import type { CoverageState } from "../../../shared/coverage/coverage.ts";
import { byPolicy, group, legacy, member, ofCluster, type Row, reportOf, standard } from "../../support/coverage.ts";

type Case = [what: string, rows: Row[], state: CoverageState, reason: string];

const NEVER = "No snapshot exists. Add the disk to a policy, for example with a tag that a policy selects.";
const NONE_OF_ITS_OWN =
  "No snapshot exists except those of backups and those in deletion. Add the disk to a policy, for example with a tag that a policy selects.";
const CHECK = "Check the records of the function that creates the snapshots, and the disk in the console.";
const young = (hours: number | string) => `The newest good snapshot is ${hours} hours old.`;
const staleBy = (maker: string) =>
  `The newest good snapshot is 53 hours old; expected at most 26. No snapshot failed since then, so ${maker}`;
const BY_HAND = staleBy("add the disk to a policy, because a user created the snapshot.");
const statusUnknown = (what: string, status: string, rest: string) =>
  `It is unknown whether the newest snapshot, the ${what}, is good: its status is "${status}". Check it in the console. ${rest}`;
const timeUnknown = (what: string, rest: string) =>
  `The creation time of the ${what} is missing or not credible, so it may be the newest. Check it in the console. ${rest}`;
const groupUnknown =
  "It is unknown whether the newest snapshot, the member u of the snapshot-group g, is good: the group is missing from its list, or the status of the group or of a member is unknown. Check it in the console. No good snapshot was found.";
const NO_GOOD = "No good snapshot was found.";
const OLD_GOOD = "The newest good snapshot is 53 hours old.";

/** Snapshots of `disk-1`. The numbers are their ages in hours. A good snapshot protects the disk for 26 hours. */
// biome-ignore format: one case in each row
const DISK: Case[] = [
  ["no snapshot at all", [], "unprotected", NEVER],
  ["a legacy snapshot that was created by hand", [legacy(2.1)], "protected", young(2.1)],
  ["a standard snapshot that was created by hand", [standard(2.1)], "protected", young(2.1)],
  ["a snapshot of a policy of this project", [legacy(2.1, byPolicy("nightly"))], "protected", young(2.1)],
  ["a snapshot of Huawei's own policy", [standard(2.1, { snapshot_type: "auto" })], "protected", young(2.1)],
  ["a copy", [standard(2.1, { snapshot_type: "copy" })], "protected", young(2.1)],
  ["a snapshot of a backup", [legacy(2, { name: "autobk_snapshot_1" })], "unprotected", NONE_OF_ITS_OWN],
  ["a snapshot of a manual backup whose name is in upper case", [legacy(2, { name: " MANUALBK_Snapshot_1" })], "unprotected", NONE_OF_ITS_OWN],
  ["a failed snapshot of a backup", [legacy(2, { name: "autobk_snapshot_1", status: "error" })], "unprotected", NONE_OF_ITS_OWN],

  ["a good snapshot of exactly the maximum age", [legacy(26)], "protected", young(26)],
  ["a good snapshot that is 1 ms too old", [legacy(26 + 1 / 3_600_000)], "stale", BY_HAND.replace("53", "26.1")],
  ["an old snapshot that was created by hand", [legacy(53)], "stale", BY_HAND],
  ["an old snapshot of a policy", [legacy(53, byPolicy("nightly"))], "stale", staleBy("check the timer and the targets of the policy nightly.")],
  ["an old snapshot of Huawei's own policy", [standard(53, { snapshot_type: "auto" })], "stale", staleBy("add the disk to a policy, because Huawei Cloud (created by EVS itself) created the snapshot.")],
  ["an old and a young good snapshot", [legacy(53), standard(1)], "protected", "The newest good snapshot is 1 hour old."],
  ["a good snapshot from 59 minutes in the future", [legacy(-59 / 60)], "protected", young("less than 0.1")],

  ["two failed snapshots and no good one", [legacy(5, { status: "error" }), standard(3, { status: "error" })], "failing", `2 attempts failed, and no good snapshot exists. ${CHECK}`],
  ["two failures after its last good snapshot", [legacy(53), legacy(29, { status: "error" }), legacy(5, { status: "error" })], "failing", `2 attempts failed since the newest good snapshot, which is 53 hours old. ${CHECK}`],
  ["a failure after a young good snapshot", [legacy(20), legacy(1, { status: "error" })], "protected", young(20)],
  ["a failure before its last good snapshot", [legacy(70, { status: "error" }), legacy(53)], "stale", BY_HAND],
  ["a failed snapshot in the undocumented status error_creating", [legacy(5, { status: "error_creating" })], "failing", `1 attempt failed, and no good snapshot exists. ${CHECK}`],

  ["its first snapshot in creation", [legacy(0.5, { status: "creating" })], "unprotected", "No good snapshot exists. A snapshot has been in creation for 0.5 hours. If no policy selects the disk, add it to a policy."],
  ["a snapshot in creation and an old good one", [legacy(53), legacy(1, { status: "creating" })], "stale", `${BY_HAND} A snapshot has been in creation for 1 hour.`],
  ["a snapshot in creation after a failure", [legacy(30, { status: "error" }), legacy(1, { status: "creating" })], "failing", `1 attempt failed, and no good snapshot exists. ${CHECK} A snapshot has been in creation for 1 hour.`],
  ["a snapshot in deletion", [legacy(2, { status: "deleting" })], "unprotected", NONE_OF_ITS_OWN],
  ["a snapshot whose deletion failed", [legacy(2, { status: "error_deleting" })], "unprotected", NONE_OF_ITS_OWN],

  ["a snapshot in an unknown status", [legacy(2, { id: "u", status: "rollbacking" })], "unknown", statusUnknown("snapshot u", "rollbacking", NO_GOOD)],
  ["a snapshot without a status", [standard(2, { id: "u", status: undefined })], "unknown", statusUnknown("standard-snapshot u", "unreadable", NO_GOOD)],
  ["a snapshot in an unknown status after an old good one", [legacy(53), legacy(2, { id: "u", status: "new" })], "unknown", statusUnknown("snapshot u", "new", OLD_GOOD)],
  ["a snapshot in an unknown status before an old good one", [legacy(70, { status: "new" }), legacy(53)], "stale", BY_HAND],
  ["a snapshot in an unknown status before a failure", [legacy(9, { id: "u", status: "new" }), legacy(2, { status: "error" })], "unknown", statusUnknown("snapshot u", "new", NO_GOOD)],
  ["a snapshot in an unknown status after a young good one", [legacy(2), legacy(1, { status: "new" })], "protected", young(2)],
  ["a snapshot without a creation time", [legacy(2, { id: "u", created_at: undefined })], "unknown", timeUnknown("snapshot u", NO_GOOD)],
  ["a snapshot from 1970", [legacy(2, { id: "u", created_at: "1970-01-01T00:00:00Z" })], "unknown", timeUnknown("snapshot u", NO_GOOD)],
  ["a snapshot from 2014", [legacy(2, { id: "u", created_at: "2014-12-31T23:59:59Z" })], "unknown", timeUnknown("snapshot u", NO_GOOD)],
  ["a snapshot from 2 hours in the future", [legacy(-2, { id: "u" })], "unknown", timeUnknown("snapshot u", NO_GOOD)],
  ["an old good snapshot and one with an unreadable creation time", [legacy(53), standard(2, { id: "u", created_at: "yesterday" })], "unknown", timeUnknown("standard-snapshot u", OLD_GOOD)],
  ["a young good snapshot and one with an unreadable creation time", [legacy(2), legacy(2, { created_at: "yesterday" })], "protected", young(2)],
  ["an old good snapshot and a failed one without a creation time", [legacy(53), legacy(2, { id: "u", status: "error", created_at: null })], "unknown", timeUnknown("snapshot u", OLD_GOOD)],
  ["an old good snapshot and one in deletion without a creation time", [legacy(53), legacy(2, { status: "deleting", created_at: null })], "stale", BY_HAND],
  ["no snapshot of its own and one good snapshot without a disk id in the project", [legacy(2, { id: "u", volume_id: undefined })], "unknown", `The row of the snapshot u does not contain the id of its disk, so it may belong to this one. Check it in the console. ${NO_GOOD}`],
  ["a young good snapshot of its own and one snapshot without a disk id in the project", [legacy(2), standard(1, { volume_id: "" })], "protected", young(2)],

  ["a member of a good group", [group("g"), member("g", 2)], "protected", young(2)],
  ["a member of a good group of two disks", [group("g"), member("g", 2), member("g", 2, { volume_id: "disk-2" })], "protected", young(2)],
  ["a member of a failed group", [group("g", { status: "error" }), member("g", 2)], "failing", `1 attempt failed, and no good snapshot exists. ${CHECK}`],
  ["a member of a group whose other member failed", [group("g"), member("g", 2), member("g", 2, { volume_id: "disk-2", status: "error" })], "failing", `1 attempt failed, and no good snapshot exists. ${CHECK}`],
  ["a group without a member of this disk", [group("g"), member("g", 2, { volume_id: "disk-2" })], "unprotected", NEVER],
  ["150 failed snapshots after an old good one", [legacy(200), ...Array.from({ length: 150 }, (_, index) => standard(1 + index, { status: "error" }))], "failing", `At least 100 attempts failed since the newest good snapshot, which is 200 hours old. ${CHECK}`],
  ["a group without members", [group("g")], "unprotected", NEVER],
  ["a member of a group in creation", [group("g", { status: "creating" }), member("g", 0.5)], "unprotected", "No good snapshot exists. A snapshot has been in creation for 0.5 hours. If no policy selects the disk, add it to a policy."],
  ["a member of a group whose other member is in creation", [group("g"), member("g", 0.5), member("g", 0.5, { volume_id: "disk-2", status: "creating" })], "unprotected", "No good snapshot exists. A snapshot has been in creation for 0.5 hours. If no policy selects the disk, add it to a policy."],
  ["a member of a group in deletion", [group("g", { status: "deleting" }), member("g", 2)], "unprotected", NONE_OF_ITS_OWN],
  ["a member of a group whose other member is in deletion", [group("g"), member("g", 2, { id: "u" }), member("g", 2, { volume_id: "disk-2", status: "deleting" })], "unknown", groupUnknown],
  ["a member of a group whose other member has an unknown status", [group("g"), member("g", 2, { id: "u" }), member("g", 2, { volume_id: "disk-2", status: "new" })], "unknown", groupUnknown],
  ["a member of a group that the list of groups does not contain", [group("other"), member("g", 2, { id: "u" })], "unknown", groupUnknown],
  ["a member in deletion of a deleted group", [member("g", 2, { status: "deleting" })], "unprotected", NONE_OF_ITS_OWN],
  ["a member, without a creation time, of a good group", [group("g"), member("g", 2, { id: "u", created_at: null })], "unknown", timeUnknown("member u of the snapshot-group g", NO_GOOD)],
  ["a member of an old group of a policy", [group("g", byPolicy("weekly")), member("g", 53)], "stale", staleBy("check the timer and the targets of the policy weekly.")],
  ["a member of a group of a backup", [group("g", { name: "autobk_snapshot_1" }), member("g", 2)], "unprotected", NONE_OF_ITS_OWN],
  ["a failed group after an old good snapshot", [legacy(53), group("g", { status: "error" }), member("g", 5)], "failing", `1 attempt failed since the newest good snapshot, which is 53 hours old. ${CHECK}`],

  ["snapshots of other resources only", [legacy(2, { volume_id: "disk-2" }), ofCluster(2)], "unprotected", NEVER],
  ["a good snapshot with the id of the disk in upper case", [legacy(2, { volume_id: "DISK-1" })], "protected", young(2)],
];

/** Snapshots of `cluster-1`. */
// biome-ignore format: one case in each row
const CLUSTER: Case[] = [
  ["no snapshot at all", [], "unprotected", NEVER.replace("disk", "cluster")],
  ["a snapshot that was created by hand", [ofCluster(2.1)], "protected", young(2.1)],
  ["an automated snapshot", [ofCluster(2.1, { type: "AUTOMATED" })], "protected", young(2.1)],
  ["a failed snapshot", [ofCluster(2, { status: "UNAVAILABLE" })], "failing", `1 attempt failed, and no good snapshot exists. ${CHECK.replace("disk", "cluster")}`],
  ["a snapshot that is being restored", [ofCluster(2, { id: "u", status: "RESTORING" })], "unknown", statusUnknown("cluster-snapshot u", "RESTORING", NO_GOOD)],
  ["a snapshot without a start time", [ofCluster(2, { id: "u", started: null })], "unknown", timeUnknown("cluster-snapshot u", NO_GOOD)],
  ["an old automated snapshot", [ofCluster(53, { type: "AUTO" })], "stale", staleBy("add the cluster to a policy, because Huawei Cloud (an automated snapshot) created the snapshot.")],
  ["snapshots of disks only", [legacy(2), standard(2)], "unprotected", NEVER.replace("disk", "cluster")],
];

const byState = (cases: Case[]) => cases.map(([what, rows, state, reason]) => [what, state, rows, reason] as const);

test.each(byState(DISK))("a disk with %s has the state %s", async (_, state, rows, reason) => {
  const [first] = (await reportOf({ rows }, { types: ["volume"] })).resources;
  expect([first?.state, first?.reason]).toEqual([state, reason]);
});

test.each(byState(CLUSTER))("a cluster with %s has the state %s", async (_, state, rows, reason) => {
  const [first] = (await reportOf({ rows }, { types: ["cluster"] })).resources;
  expect([first?.state, first?.reason]).toEqual([state, reason]);
});

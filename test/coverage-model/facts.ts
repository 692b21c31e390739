/** Reads the rows of an project for the checker. Shares no code with `shared`. */
import type { ListName, Raw } from "./project.ts";

export const HOUR_MS = 3_600_000;

/** What a row of a list of snapshots says. */
export interface SnapshotFacts {
  list: ListName;
  /** The id, or undefined if it is not valid. */
  id?: string;
  /** The status as a word: good, bad, creating, deleting or unknown. */
  status: "good" | "bad" | "creating" | "deleting" | "unknown";
  isOfBackup: boolean;
  /** The id of the disk or cluster in lower case. Undefined if it is missing or not valid. */
  resource?: string;
  /** The id of the group, or `UNREADABLE_GROUP`. */
  group?: string;
  /** The server of a group. */
  server?: string;
  /** Undefined if the time is missing, before 2015 or more than an hour ahead. */
  created?: number;
  /** The policy in the labels, if all labels of this project are intact. */
  policy?: string;
}

const GOOD = ["available", "avaialble"];
const DWS_BAD = "unavailable";

function statusOf(list: ListName, status: unknown, hasId: boolean): SnapshotFacts["status"] {
  if (!hasId || typeof status !== "string" || status === "") return "unknown";
  const word = status.toLowerCase();
  const isDws = list === "cluster-snapshot";
  if (word === "available" || (!isDws && GOOD.includes(word))) return "good";
  if (isDws && word === DWS_BAD) return "bad";
  if (word === "creating") return "creating";
  if (word.includes("deleting") || word.includes("delete")) return "deleting";
  return word.includes("error") || word.includes("fail") ? "bad" : "unknown";
}

export const isValidId = (id: unknown): id is string => typeof id === "string" && /^[\w-]{1,64}$/.test(id);

/** Returns a credible time in milliseconds. Reads only the formats that the projects contain. */
function timeOf(text: unknown, now: number): number | undefined {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/.test(text) || text.startsWith("2026-02-30"))
    return undefined;
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`;
  const time = Date.parse(zoned.replace(" ", "T"));
  return time >= Date.UTC(2015, 0, 1) && time <= now + HOUR_MS ? time : undefined;
}

export function readSnapshotFacts(list: ListName, raw: Raw, now: number): SnapshotFacts {
  const text = (field: string) =>
    typeof raw[field] === "string" && raw[field] !== "" ? (raw[field] as string) : undefined;
  const hasId = isValidId(raw.id);
  const labels = (list === "snapshot" ? raw.metadata : raw.tags) as Record<string, string> | undefined;
  const isByUser = raw.snapshot_type !== "auto" && raw.snapshot_type !== "copy";
  const isOfBackup = /^(auto|manual)bk_snapshot_/.test(
    String(text("name") ?? "")
      .trim()
      .toLowerCase(),
  );
  const resource = text(list === "cluster-snapshot" ? "cluster_id" : "volume_id")
    ?.trim()
    .toLowerCase();
  const group = raw.snapshot_group_id;
  return {
    list,
    ...(hasId && { id: raw.id as string }),
    status: statusOf(list, raw.status, hasId),
    isOfBackup,
    resource: isValidId(resource) ? resource : undefined,
    group: group === undefined || group === null || group === "" ? undefined : readGroup(group),
    server: text("server_id")?.toLowerCase(),
    created: timeOf(list === "cluster-snapshot" ? raw.started : raw.created_at, now),
    policy:
      list !== "cluster-snapshot" && isByUser && labels?.["managed-by"] === "snapshot-functions"
        ? labels.policy
        : undefined,
  };
}

/** The group of a member whose row contains something else than the id of a group. */
const UNREADABLE_GROUP = "?";

const readGroup = (group: unknown): string => (typeof group === "string" ? group : UNREADABLE_GROUP);

/** Returns whether the tags are in one of the formats that the projects contain. */
export const areTagsReadable = (tags: unknown): boolean =>
  Array.isArray(tags)
    ? tags.every((tag) => typeof tag === "string" || typeof tag?.value === "string")
    : typeof tags === "object" && tags !== null;

/** Returns the tags of a resource in any of the formats that the projects contain. */
export function tagsOf(tags: unknown): Map<string, string> {
  const map = new Map<string, string>();
  if (Array.isArray(tags)) {
    for (const tag of tags) {
      if (typeof tag === "string") map.set(tag.split("=")[0] ?? "", tag.split("=")[1] ?? "");
      else map.set(tag.key, tag.value);
    }
  } else if (typeof tags === "object" && tags !== null) {
    for (const [key, value] of Object.entries(tags)) map.set(key, String(value));
  }
  return map;
}

/** How a snapshot counts for its disk or cluster. */
export type Weight = "good" | "bad" | "creating" | "open" | "none";

/** A snapshot of one disk or cluster, judged together with its group. */
export interface Attempt extends SnapshotFacts {
  weight: Weight;
  /** Whether the snapshot is the member of a group that was not listed. */
  lacksGroup?: boolean;
}

const FROM_BEST: SnapshotFacts["status"][] = ["good", "creating", "deleting", "unknown", "bad"];

/** Merges the rows with the same id. The rows of EVS v5 come first, because only they contain the group. */
function mergeRows(rows: readonly SnapshotFacts[]): SnapshotFacts[] {
  const merged: SnapshotFacts[] = rows.filter(({ id }) => id === undefined);
  for (const id of new Set(rows.flatMap((row) => row.id ?? []))) {
    const same = rows.filter((row) => row.id === id);
    const version5 = same.filter(({ list }) => list === "standard-snapshot");
    const first = version5[0] ?? same[0];
    if (first === undefined) continue;
    const has = (field: "resource" | "group", among: readonly SnapshotFacts[]) =>
      new Set(among.flatMap((row) => row[field] ?? []));
    const groups = new Set((version5.length > 0 ? version5 : same).map(({ group }) => group));
    merged.push({
      ...first,
      status: FROM_BEST[Math.max(...same.map(({ status }) => FROM_BEST.indexOf(status)))] ?? "unknown",
      resource: has("resource", same).size > 1 ? undefined : first.resource,
      group: groups.size > 1 ? UNREADABLE_GROUP : first.group,
    });
  }
  return merged;
}

/**
 * Judges all snapshots of an project. A member of a group is good only if its group and all members are good, and if no page of the
 * list of members is missing.
 */
export function judgeSnapshots(
  rows: readonly SnapshotFacts[],
  incomplete: ReadonlySet<ListName>,
  disksOf: (server: string) => readonly string[],
): Attempt[] {
  const listed = mergeRows(rows.filter(({ list }) => list === "snapshot-group"));
  const groups = new Map(listed.filter(({ id }) => id !== undefined).map((group) => [group.id, group]));
  const snapshots = mergeRows(rows.filter(({ list }) => list !== "snapshot-group"));
  const ofServers = listed
    .filter(
      ({ id, status }) => ["bad", "unknown"].includes(status) && !snapshots.some(({ group }) => group === id && id),
    )
    .flatMap((group) =>
      disksOf(group.server ?? "").map((resource) => ({ ...group, resource, weight: weightOf(group, group.status) })),
    );
  const judged = snapshots.map((snapshot) => {
    const siblings = snapshots.filter(({ list, group }) => list === "standard-snapshot" && group === snapshot.group);
    const group = groups.get(snapshot.group);
    const weight =
      snapshot.group === undefined || snapshot.list !== "standard-snapshot"
        ? weightOf(snapshot, snapshot.status)
        : weightOfMember(snapshot, group, siblings, incomplete.has("standard-snapshot"));
    return { ...snapshot, weight, lacksGroup: snapshot.group !== undefined && group === undefined };
  });
  return [...judged, ...ofServers];
}

function weightOf({ isOfBackup, created }: SnapshotFacts, status: SnapshotFacts["status"]): Weight {
  if (isOfBackup || status === "deleting") return "none";
  if (created === undefined || status === "unknown") return "open";
  return status;
}

function weightOfMember(
  member: SnapshotFacts,
  group: SnapshotFacts | undefined,
  siblings: readonly SnapshotFacts[],
  mayLackMembers: boolean,
): Weight {
  if (group === undefined) return weightOf(member, member.status === "deleting" ? "deleting" : "unknown");
  if (group.isOfBackup || group.status === "deleting") return "none";
  const has = (status: SnapshotFacts["status"]) => siblings.some((sibling) => sibling.status === status);
  if (mayLackMembers) return weightOf(member, "unknown");
  if (has("bad") || group.status === "bad") return weightOf(member, "bad");
  if (group.status !== "good") return weightOf(member, group.status);
  if (has("unknown") || has("deleting")) return weightOf(member, "unknown");
  return weightOf(member, has("creating") ? "creating" : "good");
}

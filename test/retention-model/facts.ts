/**
 * Reads the rows of the cloud for the checker. Shares no code with the functions: every rule here is written again from what the
 * README promises, as simply as possible.
 */
import { createHash } from "node:crypto";
import type { JsonObject } from "../../shared/core/json.ts";
import type { KnownPolicy } from "./history.ts";

const HOUR_MS = 3_600_000;
/** A creation time before this is unreadable, because neither EVS nor DWS existed. */
const EARLIEST_MS = Date.UTC(2015, 0, 1);
/** If a creation time is at most this far after the current time, the model claims nothing. If it is later, the snapshot must be held. */
const MAX_AHEAD_MS = HOUR_MS;

/** What the checker knows about a snapshot at one time. */
export interface Facts {
  kind: string;
  id: string;
  name: string;
  /** The fields of the marker. Undefined if the marker is not intact. */
  marker: { policy: string; key: string; content: string } | undefined;
  /** The disk, server or cluster; for a group of individual disks, its disks. Undefined if the row does not show it. */
  resource: string | undefined;
  /** The creation time in milliseconds since 1970. Undefined if it is unreadable or before 2015. */
  time: number | undefined;
  /** The snapshot, or the group and all its members, can be restored. */
  isGood: boolean;
  /** The snapshot is in creation, in deletion, or in an unknown status. */
  isUnsettled: boolean;
  /** EVS reports the group as available, but the group has no members. */
  isEmpty: boolean;
  /** The service is deleting the snapshot. */
  isInDeletion: boolean;
  /** Who else created the snapshot, or to which group it belongs. Undefined if a function of this project created it. */
  foreign: string | undefined;
  /** Where the snapshot is held, apart from its creation time. */
  hold: string | undefined;
  members: readonly Facts[];
  /** Whether EVS reports a type other than `user`. */
  hasOtherType: boolean;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const plain = (text: string): string => text.normalize("NFC").trim().toLowerCase();

/** Returns the facts about a row. `members` are the facts about the members of a group. */
export function readFacts(
  kind: string,
  raw: JsonObject & { id?: unknown },
  members: readonly Facts[],
  { hold = [] }: KnownPolicy,
): Facts {
  const labels: Record<string, unknown> = Object(raw.metadata ?? raw.tags);
  const name = textOf(raw.name);
  const held = new Set(hold.map(plain));
  const isNamed = [textOf(raw.id), name].some((text) => text !== "" && held.has(plain(text)));
  const heldMember = members.find((member) => member.hold !== undefined);
  const state = stateOf(textOf(raw.status));
  const memberStates = members.map((member) => (member.isGood ? "good" : member.isUnsettled ? "unsettled" : "failed"));
  const isGroup = kind === "snapshot-group";
  const hasFailed = state === "failed" || memberStates.includes("failed");
  const isSettled = hasFailed || (state === "good" && !memberStates.includes("unsettled"));
  return {
    kind,
    id: textOf(raw.id),
    name,
    marker: kind === "cluster-snapshot" ? markerIn(textOf(raw.description)) : markerOf(labels),
    resource: resourceOf(raw, members),
    time: timeOf(raw.created_at ?? raw.started),
    isGood: state === "good" && (!isGroup || (members.length > 0 && members.every(({ isGood }) => isGood))),
    isUnsettled: state === "deleting" || !isSettled,
    isEmpty: isGroup && members.length === 0 && state === "good",
    isInDeletion: state === "deleting" && !/error|fail/i.test(textOf(raw.status)),
    foreign: foreignOf(kind, raw, name, labels),
    hold: isNamed
      ? "the policy names it"
      : Object.entries(labels).some(([key, value]) => plain(key) === "hold" && plain(textOf(value)) !== "false")
        ? "label"
        : /^hold(?![a-z0-9])/.test(plain(textOf(raw.description)))
          ? "description"
          : heldMember && `member ${heldMember.id}`,
    members,
    hasOtherType: Boolean(raw.snapshot_type) && raw.snapshot_type !== "user",
  };
}

const stateOf = (status: string): "good" | "failed" | "deleting" | "unsettled" => {
  const text = status.toLowerCase();
  if (text === "available" || text === "avaialble") return "good";
  if (text.includes("delet")) return "deleting";
  return /error|fail|unavailable/.test(text) ? "failed" : "unsettled";
};

function markerOf(labels: Record<string, unknown>): Facts["marker"] {
  const { policy, key, content } = labels;
  const isIntact =
    labels["managed-by"] === "snapshot-functions" &&
    textOf(policy) !== "" &&
    /^[0-9a-f]{32}$/.test(textOf(key)) &&
    /^[0-9a-f]{8}$/.test(textOf(content));
  return isIntact ? { policy: textOf(policy), key: textOf(key), content: textOf(content) } : undefined;
}

function markerIn(description: string): Facts["marker"] {
  const words = description.trimEnd().split(" ").slice(-4);
  const labels = Object.fromEntries(words.map((word) => [word.split(":")[0], word.slice(word.indexOf(":") + 1)]));
  const isInOrder = Object.keys(labels).join() === "managed-by,policy,key,content";
  return isInOrder ? markerOf(labels) : undefined;
}

function resourceOf(raw: JsonObject, members: readonly Facts[]): string | undefined {
  const id = textOf(raw.volume_id ?? raw.server_id ?? raw.cluster_id).toLowerCase();
  const disks = members.map(({ resource }) => resource ?? "?").sort();
  return id || disks.join() || undefined;
}

function foreignOf(kind: string, raw: JsonObject, name: string, labels: Record<string, unknown>): string | undefined {
  if (/^(autobk|manualbk)_snapshot_/i.test(name)) return "a backup";
  if (raw.snapshot_type === "auto" || "__system__enableActive" in labels) return "EVS";
  if (raw.snapshot_type === "copy") return "a copy";
  if (textOf(raw.snapshot_group_id) !== "") return "a member of a group";
  if (kind !== "cluster-snapshot" || textOf(raw.type).toUpperCase() === "MANUAL") return undefined;
  return `DWS, with the type ${raw.type}`;
}

const times = new Map<unknown, number | undefined>();

/** Returns the creation time in a row. Remembers the times that it has read. */
function timeOf(value: unknown): number | undefined {
  if (times.has(value)) return times.get(value);
  if (times.size > 50_000) times.clear();
  const time = parseTime(textOf(value));
  times.set(value, time);
  return time;
}

/** Parses a creation time. A time without a zone is UTC. Returns undefined for a date that does not exist or is before 2015. */
function parseTime(text: string): number | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text.trim());
  if (parts === null) return undefined;
  const [, date, clock, fraction = "", zone = "Z"] = parts;
  const time = Date.parse(`${date}T${clock}.${`${fraction}000`.slice(0, 3)}${zone}`);
  const exists = new Date(`${date}T00:00:00Z`).getUTCDate() === Number(date?.slice(8));
  return exists && time >= EARLIEST_MS ? time : undefined;
}

/** Returns why a snapshot must not be deleted, whatever its retention says. Undefined if it may be deleted. */
export function holdOf({ hold, time }: Facts, now: number): string | undefined {
  if (hold !== undefined) return `held: ${hold}`;
  if (time === undefined) return "held: its creation time is unreadable";
  return time > now + MAX_AHEAD_MS ? "held: its creation time is too far ahead" : undefined;
}

const endings = new Map<string, string>();

/** Returns the last 9 characters of the name that a create request generates in its nth attempt. */
export function generatedEnding(kind: string, resource: string, key: string, attempt: number): string {
  const identity = JSON.stringify([kind, resource, key, attempt]);
  let ending = endings.get(identity);
  if (ending === undefined) {
    ending = `-${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`;
    if (endings.size > 50_000) endings.clear();
    endings.set(identity, ending);
  }
  return ending;
}

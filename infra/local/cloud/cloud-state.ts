/** What the services work on: the estate, the clock and what was chosen for this cloud. */
import type { CloudClock } from "./clock.ts";
import type { Call } from "./gateway/http.ts";
import type { Inventory } from "./inventory.ts";

/**
 * What the public documents leave open or do differently by region and age (cloud-apis.md 8: UNCONFIRMED). Each has the
 * value that is the harder one for a caller, unless said otherwise.
 */
export interface CloudBehavior {
  /** Seed 001 or seed 002: limits and envelopes of the v2 API. Default "current". */
  evsLimits: "current" | "classic";
  /** Legacy snapshots a disk (cloud-apis.md 1.7). Default 7. */
  legacyPerVolume: number;
  /** Standard snapshots a disk (cloud-apis.md 1.7). Default 256. */
  standardPerVolume: number;
  /** Legacy snapshots of the project; none by default. */
  snapshotQuota: number | undefined;
  /** A region without standard snapshots answers 404 APIGW.0101 to every v5 path. Default false. */
  withoutStandardSnapshots: boolean;
  /** Deleting a group deletes its members. Default true. */
  groupDeleteCascades: boolean;
  /** How the documents spell the status of a finished group in one place. Default "avaialble". */
  groupAvailable: "avaialble" | "available";
  /** A group with a failed member ends in `error`. Default false: only the members tell. */
  groupFailsWithMember: boolean;
  /** The members of a group carry the group's tags. Default false. */
  groupTagsOnMembers: boolean;
  /**
   * The error of a create whose disk is in a status that allows no snapshot, such as `extending`. Default 400 EVS.5400.
   * With the code `conflictingRequest` the response has OpenStack's body.
   */
  wrongVolumeStatus: { status: number; code: string };
  /** v5 times without a zone as in v2, or with Z. Default "bare". */
  v5Times: "bare" | "zoned";
  /** Whether the field `count` of a list counts the rows of all pages or, as in some clouds, of the page. Default "all". */
  counts: "all" | "page";
  /** The maximum number of rows in a page, even if `limit` is larger. No maximum by default. */
  pageCap: number | undefined;
  /** Attachments of disks have `attachment_id` and `attached_at`. Default true. */
  attachmentIds: boolean;
  /** v5 lists have `count` and `..._links` as v2 lists do. Default false. */
  v5ListCount: boolean;
  /** Whether the filter `name` of EVS lists also finds parts of names. Default "fuzzy": a caller must look again. */
  nameFilter: "fuzzy" | "exact";
  /** A list that does not say `enterprise_project_id`: every project, or the default one alone. Default "0", which is harder. */
  enterpriseProjectsByDefault: "all" | "0";
  /** Query parameters that no document names. Default "refuse"; the cloud probably ignores them. */
  unknownQuery: "refuse" | "ignore";
  /** DWS: a name that is taken. Default 400 DWS.5150. */
  duplicateClusterSnapshot: { status: number; code: string };
  /** DWS: the description of a snapshot as it was given, or always null. Default "as given". */
  describeClusterSnapshots: "as given" | "null";
  /** LTS: the topics that exist; any by default. */
  topics: { group: string; stream: string }[] | undefined;
  /** LTS: the largest body. Default 12 MB, the gateway's. */
  logBodyLimit: number;
  /** FunctionGraph: the functions that exist, by URN without version; any by default. */
  functions: string[] | undefined;
}

export interface LogEntry {
  /** The line, parsed where it is JSON. */
  line: unknown;
  text: string;
  group: string;
  stream: string;
  labels: Record<string, unknown>;
  /** Digits, as a JavaScript number cannot hold them. */
  log_time_ns: string;
  requestId: string;
}

export interface Invocation {
  urn: string;
  payload: unknown;
  requestId: string;
}

export interface CloudState {
  projectId: string;
  region: string;
  clock: CloudClock;
  estate: Inventory;
  choices: CloudBehavior;
  logs: LogEntry[];
  /** What LTS took and silently threw away, as its time was too far off. */
  lostLogs: LogEntry[];
  invocations: Invocation[];
  invoke(invocation: Invocation): void;
}

/** A query parameter that no document names, unless they are to be ignored. */
export function checkQuery(
  call: Call,
  cloud: CloudState,
  known: readonly string[],
  complain: (m: string) => never,
): void {
  if (cloud.choices.unknownQuery === "ignore") return;
  for (const key of call.query.keys()) if (!known.includes(key)) complain(`${key} is not a known query parameter.`);
}

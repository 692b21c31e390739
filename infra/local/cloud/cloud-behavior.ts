/**
 * Behavior that the public documents leave open, or that differs by region or by the age of the cloud. Each is an option of
 * `startCloud`. Unless the option says otherwise, its default is the behavior that is harder for a caller.
 */
export interface CloudBehavior {
  /** The limits and error bodies of the v2 API, by its current page or by its older page. Default "current". */
  evsLimits: "current" | "classic";
  /** The maximum number of legacy snapshots per disk (SOURCES.md#evs-legacy-per-disk-limit). Default 7. */
  legacyPerVolume: number;
  /** The maximum number of standard snapshots per disk (SOURCES.md#evs-standard-per-disk-limit). Default 256. */
  standardPerVolume: number;
  /** The maximum number of legacy snapshots in the project. Default: no maximum. */
  snapshotQuota: number | undefined;
  /** Whether every v5 path responds with 404 APIGW.0101, as in a region without standard snapshots. Default false. */
  withoutStandardSnapshots: boolean;
  /** Whether deleting a group also deletes its members. Default true. */
  groupDeleteCascades: boolean;
  /** The status of a finished group. One page of the documents spells it "avaialble". Default "avaialble". */
  groupAvailable: "avaialble" | "available";
  /** Whether a group with a failed member ends in `error`. Default false: only the member shows the failure. */
  groupFailsWithMember: boolean;
  /** Whether the members of a group have the tags of the group. Default false. */
  groupTagsOnMembers: boolean;
  /**
   * The error of a create whose disk is in a status that allows no snapshot, such as `extending`. Default 400 EVS.5400.
   * With the code `conflictingRequest` the response has OpenStack's body.
   */
  wrongVolumeStatus: { status: number; code: string };
  /** Whether v5 times have the suffix `Z` ("zoned") or no zone, as in v2 ("bare"). Default "bare". */
  v5Times: "bare" | "zoned";
  /** Whether the field `count` of a list counts the rows of all pages or, as in some clouds, of the page. Default "all". */
  counts: "all" | "page";
  /** The maximum number of rows in a page, even if `limit` is larger. Default: no maximum. */
  pageCap: number | undefined;
  /** Whether attachments of disks have the fields `attachment_id` and `attached_at`. Default true. */
  attachmentIds: boolean;
  /** Whether v5 lists have the fields `count` and `..._links`, as v2 lists do. Default false. */
  v5ListCount: boolean;
  /** Whether the filter `name` of EVS lists also matches parts of a name. Default "fuzzy". */
  nameFilter: "fuzzy" | "exact";
  /** Which enterprise projects a list without `enterprise_project_id` shows: all, or only the default one. Default "0". */
  enterpriseProjectsByDefault: "all" | "0";
  /** Whether an undocumented query parameter is an error. The real cloud probably ignores it. Default "refuse". */
  unknownQuery: "refuse" | "ignore";
  /** The error of DWS if a cluster snapshot with the same name exists. Default 400 DWS.5150. */
  duplicateClusterSnapshot: { status: number; code: string };
  /** Whether DWS responses show the description of a snapshot or always null. Default "as given". */
  describeClusterSnapshots: "as given" | "null";
  /** The LTS topics that exist. Default: every topic exists. */
  topics: { group: string; stream: string }[] | undefined;
  /** The maximum size of a body that LTS accepts, in bytes. Default 12 MB, the limit of the gateway. */
  logBodyLimit: number;
  /** The functions that exist, by URN without version. Default: every function exists. */
  functions: string[] | undefined;
}

const DEFAULT_BEHAVIOR: CloudBehavior = {
  evsLimits: "current",
  legacyPerVolume: 7,
  standardPerVolume: 256,
  snapshotQuota: undefined,
  withoutStandardSnapshots: false,
  groupDeleteCascades: true,
  groupAvailable: "avaialble",
  groupFailsWithMember: false,
  groupTagsOnMembers: false,
  wrongVolumeStatus: { status: 400, code: "EVS.5400" },
  v5Times: "bare",
  counts: "all",
  pageCap: undefined,
  attachmentIds: true,
  v5ListCount: false,
  nameFilter: "fuzzy",
  enterpriseProjectsByDefault: "0",
  unknownQuery: "refuse",
  duplicateClusterSnapshot: { status: 400, code: "DWS.5150" },
  describeClusterSnapshots: "as given",
  topics: undefined,
  logBodyLimit: 12 * 1024 * 1024,
  functions: undefined,
};

/** Returns the default behavior with the given options. Ignores options that are not behavior. */
export function behaviorFrom(options: Partial<CloudBehavior>): CloudBehavior {
  const given = Object.entries(options).filter(([key, value]) => key in DEFAULT_BEHAVIOR && value !== undefined);
  return { ...DEFAULT_BEHAVIOR, ...Object.fromEntries(given) };
}

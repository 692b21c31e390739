/**
 * The options of `startCloud` for behavior that the public documents leave open, or that differs between regions or releases.
 * Unless an option says otherwise, the default is the behavior that is harder for a caller to handle.
 */
export interface CloudBehavior {
  /**
   * Whether EVS v2 has the limits and error bodies of the current public API page ("current") or of an older public API page
   * ("classic"). Default "current".
   */
  evsLimits: "current" | "classic";
  /** The maximum number of legacy snapshots per disk (SOURCES.md#evs-legacy-per-disk-limit). Default 7. */
  legacyPerVolume: number;
  /** The maximum number of standard snapshots per disk (SOURCES.md#evs-standard-per-disk-limit). Default 256. */
  standardPerVolume: number;
  /** The maximum number of legacy snapshots in the whole project. Default: no maximum. */
  snapshotQuota: number | undefined;
  /** Whether every v5 request fails with 404 APIGW.0101, as in a region without standard snapshots. Default false. */
  withoutStandardSnapshots: boolean;
  /** Whether deleting a snapshot group also deletes its member snapshots. Default true. */
  groupDeleteCascades: boolean;
  /**
   * How responses spell the status of an available snapshot group. Default "avaialble", as on one page of the EVS documentation.
   */
  groupAvailable: "avaialble" | "available";
  /** Whether a snapshot group fails if one of its members fails. Default false: only the member has the status `error`. */
  groupFailsWithMember: boolean;
  /** Whether the members of a snapshot group have the same tags as the group. Default false. */
  groupTagsOnMembers: boolean;
  /**
   * The error of a create request for a disk whose status does not allow a snapshot, such as `extending`. Default 400 EVS.5400.
   * If `code` is the name of an OpenStack error, such as `conflictingRequest`, the response has the error body of OpenStack
   * instead of the error body of EVS.
   */
  wrongVolumeStatus: { status: number; code: string };
  /** Whether times in v5 responses have the suffix `Z` ("zoned") or no time zone, as in v2 ("bare"). Default "bare". */
  v5Times: "bare" | "zoned";
  /** Whether `count` in a list response counts the rows of all pages ("all") or of the current page ("page"). Default "all". */
  counts: "all" | "page";
  /** The maximum number of rows in one page of a list response, even if `limit` is larger. Default: no maximum. */
  pageCap: number | undefined;
  /** Whether the attachments in a disk response have the fields `attachment_id` and `attached_at`. Default true. */
  attachmentIds: boolean;
  /**
   * Whether v5 list responses have the field `count` and a field with a link to the next page, as v2 list responses do. Default
   * false.
   */
  v5ListCount: boolean;
  /**
   * Whether the query parameter `name` of EVS selects every resource whose name contains the value ("fuzzy"), or only resources
   * whose name is exactly the value ("exact"). Default "fuzzy".
   */
  nameFilter: "fuzzy" | "exact";
  /**
   * Whether a list request without `enterprise_project_id` returns the resources of all enterprise projects ("all") or only of
   * the project "0". Default "0".
   */
  enterpriseProjectsByDefault: "all" | "0";
  /**
   * Whether the embedded cloud rejects ("refuse") or ignores ("ignore") an undocumented query parameter. The real services
   * probably ignore it. Default "refuse".
   */
  unknownQuery: "refuse" | "ignore";
  /** The error of DWS if a cluster snapshot with the same name already exists. Default 400 DWS.5150. */
  duplicateClusterSnapshot: { status: number; code: string };
  /** Whether DWS responses contain the description that the caller sent ("as given") or null ("null"). Default "as given". */
  describeClusterSnapshots: "as given" | "null";
  /** The pairs of log group and log stream that exist in LTS. Default: every group and stream exists. */
  topics: { group: string; stream: string }[] | undefined;
  /** The maximum request body that LTS accepts, in bytes. Default 12 MiB, which is the limit of the API gateway. */
  logBodyLimit: number;
  /** The URNs, without a version, of the functions that exist. Default: every function exists. */
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

/** Returns the default behavior, overridden by the given options. Ignores options that `CloudBehavior` does not define. */
export function behaviorFrom(options: Partial<CloudBehavior>): CloudBehavior {
  const given = Object.entries(options).filter(([key, value]) => key in DEFAULT_BEHAVIOR && value !== undefined);
  return { ...DEFAULT_BEHAVIOR, ...Object.fromEntries(given) };
}

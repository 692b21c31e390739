/** Defines what a service must provide for a kind of snapshot, and the form in which tests receive a snapshot. */
import type { CloudState } from "./cloud-state.ts";
import type { Inventory } from "./inventory.ts";
import type {
  AnySnapshotRecord,
  CreationStatuses,
  Kind,
  SeedOptionsByKind,
  SnapshotRecordByKind,
  Tags,
} from "./records.ts";

/**
 * One kind of snapshot in the embedded cloud. The file in `services/` that implements the kind exports this object as
 * `snapshotKind`.
 */
export interface SnapshotKind<K extends Kind> {
  name: K;
  statuses: CreationStatuses;
  /**
   * How long the creation of a snapshot takes, in milliseconds of the embedded cloud's clock, unless a test sets another
   * duration.
   */
  creationMs: number;
  /** The record field with the labels of a snapshot, such as `tags`. Undefined if snapshots of this kind have no labels. */
  labelsField?: string;
  /** Returns the stored record of a snapshot that a test adds. For a snapshot group, also adds its member snapshots. */
  seed(seed: SeedOptionsByKind[K], fields: SeedFields, cloud: CloudState): SnapshotRecordByKind[K];
  /** Returns the fields that a response of the service contains for a snapshot. */
  view(snapshot: SnapshotRecordByKind[K], cloud: CloudState): Omit<SnapshotView, "kind">;
}

/** The record fields that `addSnapshot` sets for every kind of snapshot. */
export type SeedFields = ReturnType<Inventory["pastTimeFields"]> &
  Pick<AnySnapshotRecord, "id" | "finalStatus" | "name" | "description" | "size" | "enterpriseProjectId">;

/** The options of `addSnapshot`, which adds a snapshot without an API request. */
export type SeededSnapshot = {
  id?: string;
  name?: string;
  description?: string | null;
  /** When the snapshot was created. Default: now. */
  createdAt?: number | string | Date;
  /**
   * The status of the snapshot, as its service spells it. Default: available. A snapshot that is added as `creating` stays
   * `creating`.
   */
  status?: string;
  size?: number;
} & { [K in Kind]: { kind: K } & SeedOptionsByKind[K] }[Kind];

/**
 * A snapshot in the form that tests receive: its kind, and the fields of a response of its service. For a snapshot group, the
 * object also has fields that no response contains.
 */
export interface SnapshotView {
  kind: Kind;
  id: string;
  name: string;
  status: string;
  description: string | null;
  size?: number;
  created_at?: string;
  /** The creation time of a cluster snapshot. DWS responses have this field instead of `created_at`. */
  started?: string;
  volume_id?: string;
  metadata?: Tags;
  tags?: Tags;
  incremental?: boolean;
  instant_access?: boolean;
  snapshot_group_id?: string | null;
  server_id?: string | null;
  cluster_id?: string;
  type?: string;
  /** The ids of the disks of a snapshot group. No EVS response contains these ids. */
  volume_ids?: string[];
  /** The ids of the member snapshots of a snapshot group. No response for the group contains these ids. */
  member_ids?: string[];
  [field: string]: unknown;
}

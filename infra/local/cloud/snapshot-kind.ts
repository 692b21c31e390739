/** Defines what a service tells the embedded cloud about a kind of snapshot, and how tests see snapshots. */
import type { CloudState } from "./cloud-state.ts";
import type { Inventory } from "./inventory.ts";
import type { AnySnapshot, Kind, SeedOf, SnapshotOf, Statuses, Tags } from "./records.ts";

/** Defines one kind of snapshot. The file of a service exports it as `snapshotKind`. */
export interface SnapshotKind<K extends Kind> {
  name: K;
  statuses: Statuses;
  /** How long a snapshot is `creating`, in milliseconds of the cloud's clock, unless a test sets another time. */
  creationMs: number;
  /** The field that contains the labels. Undefined if snapshots of this kind have no labels. */
  labelsField?: string;
  /** Returns the record of a snapshot that a test adds, and adds whatever belongs to that snapshot. */
  seed(seed: SeedOf[K], fields: SeedFields, cloud: CloudState): SnapshotOf[K];
  /** Returns a snapshot as the service shows it. */
  view(snapshot: SnapshotOf[K], cloud: CloudState): Omit<SnapshotView, "kind">;
}

/** The fields of an added snapshot that do not depend on its kind. */
export type SeedFields = ReturnType<Inventory["pastTimeFields"]> &
  Pick<AnySnapshot, "id" | "endStatus" | "name" | "description" | "size" | "enterpriseProjectId">;

/** A snapshot that a test adds without a request. */
export type SeededSnapshot = {
  id?: string;
  name?: string;
  description?: string | null;
  /** Default: now. */
  createdAt?: number | string | Date;
  /** The status in the spelling of the service. Default `available`. A snapshot that is `creating` never becomes available. */
  status?: string;
  size?: number;
} & { [K in Kind]: { kind: K } & SeedOf[K] }[Kind];

/** A snapshot as the service shows it, with its kind. A group also has fields that the API does not show. */
export interface SnapshotView {
  kind: Kind;
  id: string;
  name: string;
  status: string;
  description: string | null;
  size?: number;
  created_at?: string;
  /** The creation time in DWS. */
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
  /** The disks and members of a group, which the API does not show. */
  volume_ids?: string[];
  member_ids?: string[];
  [field: string]: unknown;
}

import { createHash } from "node:crypto";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import type { Marker } from "../../../shared/snapshots/marker.ts";
import type { EmbeddedCloud, SnapshotView } from "../cloud/index.ts";

/** A sample resource: a server, a disk, or a resource of another service, such as a cluster. */
export interface SampleResource {
  type: string;
  name: string;
  id: string;
  /** The name of the server that a disk is attached to. `-` for an unattached disk, empty for a resource that is not a disk. */
  attachedTo: string;
  tags: Record<string, string>;
  /** The field of a create request that names the resource, such as `volume_id`. */
  idField: string;
}

/** The ids and names of the sample resources in the embedded cloud. */
export interface SampleInventory {
  web: string;
  database: string;
  webData: string;
  archive: string;
  resources: SampleResource[];
  /** Returns the name of the sample resource with this id. Returns the id itself if no sample resource has this id. */
  nameOf(id: string): string;
  /** Returns the id of the sample resource with this name. */
  idOf(name: string): string;
  /** Changes `attachedTo` of a disk in `resources`, after the disk was attached to a server. */
  setAttached(disk: string, server: string): void;
  /** Adds a server to the embedded cloud and to `resources`. */
  addServer(name: string, tags?: Tags): SampleResource;
  /**
   * Adds a disk to the embedded cloud and to `resources`.
   *
   * @param size the size of the disk in GiB
   * @param server the server to which the disk was attached 30 days ago. Default: the disk is not attached.
   */
  addDisk(name: string, size: number, tags?: Tags, server?: SampleResource): SampleResource;
  /** Makes `nameOf` return this name for the id of a resource that no longer exists. */
  setNameOfDeleted(id: string, name: string): void;
}

type Tags = Record<string, string>;

/**
 * How long ago all sample disks except web-1-data were attached, in milliseconds. This is long enough that disk-attached does not
 * assign a CTS trace without a disk id to one of these disks.
 */
const LONG_AGO_MS = 30 * 24 * 3_600_000;
/** The age of the sample servers and disks, in milliseconds. It is longer than the sample history. */
const AGE_MS = 90 * 24 * 3_600_000;

/** Returns an id that depends only on the name, so stored events can contain the ids of sample resources. */
export function idFor(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * The names of sample resources by resource type, except servers and disks. If a type has no entry, the name is the type and a
 * number, such as `share-1`.
 */
const NAME_BY_TYPE: Record<string, string> = { cluster: "warehouse" };

/**
 * Adds two servers with two disks each, an unattached disk, and one resource of every other type, such as a cluster. Policies
 * can select these resources by their tags. Only the disk web-1-data was attached recently.
 */
export function addSampleInventory(cloud: EmbeddedCloud): SampleInventory {
  const resources: SampleResource[] = [];
  const names = new Map<string, string>();
  const createdAt = cloud.clock.now() - AGE_MS;
  const register = (resource: SampleResource): SampleResource => {
    resources.push(resource);
    names.set(resource.id, resource.name);
    return resource;
  };
  const addServer = (name: string, tags: Tags = {}) => {
    const { id } = cloud.addServer({ id: idFor(name), name, tags, createdAt });
    return register({ type: "server", idField: "server_id", name, id, attachedTo: "", tags });
  };
  const addDisk = (name: string, size: number, tags: Tags = {}, server?: SampleResource) => {
    const attachedAt = cloud.clock.now() - (name === "web-1-data" ? 0 : LONG_AGO_MS);
    const attachment = server === undefined ? {} : { serverId: server.id, attachedAt };
    const { id } = cloud.addVolume({ id: idFor(name), name, size, tags, createdAt, ...attachment });
    return register({ type: "disk", idField: "volume_id", name, id, attachedTo: server?.name ?? "-", tags });
  };

  const web = addServer("web-1", { role: "web" });
  const database = addServer("database-1", { role: "database", backup: "daily" });
  addDisk("web-1-system", 40, {}, web);
  const webData = addDisk("web-1-data", 100, { backup: "daily" }, web);
  addDisk("database-1-system", 40, {}, database);
  addDisk("database-1-data", 500, { backup: "daily" }, database);
  const archive = addDisk("archive", 1000, { backup: "daily", tier: "cold" });
  for (const { type, idField } of cloud.otherResources) {
    const name = NAME_BY_TYPE[type] ?? `${type}-1`;
    const { id, tags } = register({ type, idField, name, id: idFor(name), attachedTo: "", tags: { backup: "daily" } });
    cloud.addOther(type, { id, name, tags });
  }

  return {
    web: web.id,
    database: database.id,
    webData: webData.id,
    archive: archive.id,
    resources,
    nameOf: (id) => names.get(id) ?? id,
    idOf: idFor,
    setAttached(disk, server) {
      const resource = resources.find(({ name }) => name === disk);
      if (resource !== undefined) resource.attachedTo = server;
    },
    addServer,
    addDisk,
    setNameOfDeleted: (id, name) => void names.set(id, name),
  };
}

/** Returns the snapshots that a caller requested. This includes snapshot groups, but not their member snapshots. */
export function findRequestedSnapshots(cloud: EmbeddedCloud): SnapshotView[] {
  return cloud.snapshots().filter((snapshot) => !snapshot.snapshot_group_id);
}

/** Returns the id of the disk, server or cluster that a snapshot was created of. */
export function resourceIdOf(snapshot: SnapshotView): string {
  return String(snapshot[KINDS[snapshot.kind].target.idOption] ?? "");
}

/** Returns the labels that identify a snapshot as created by this project, or undefined for every other snapshot. */
export const markerOf = (snapshot: SnapshotView): Marker | undefined =>
  KINDS[snapshot.kind].read({ ...snapshot })?.marker;

/** Returns the creation time of a snapshot in epoch milliseconds. EVS omits the time zone of its UTC times. */
export const createdAt = ({ created_at, started }: SnapshotView): number =>
  Date.parse(started ?? `${created_at ?? ""}Z`);

/**
 * Returns a status in the spelling that is common to all services. DWS spells statuses in upper case, and one EVS page spells
 * the status of an available snapshot group `avaialble` (SOURCES.md#evs-groups-status).
 */
export function normalizeStatus(status: string): string {
  const lower = status.toLowerCase();
  return lower === "avaialble" ? "available" : lower;
}

import { createHash } from "node:crypto";
import type { EmbeddedCloud, SnapshotView } from "../cloud/index.ts";

/** What the tour and `npm run invoke` find in the embedded cloud. */
export interface TourEstate {
  web: string;
  database: string;
  webData: string;
  archive: string;
  warehouse: string;
  /** One line a server, disk or cluster: its name, its id, where it is attached, its tags. */
  lines: { what: string; name: string; id: string; attachedTo: string; tags: Record<string, string> }[];
  /** The name of a resource, its id where it is none of these. */
  nameOf(id: string): string;
  idOf(name: string): string;
  /** A disk is attached by now: the lines say it. */
  attached(disk: string, server: string): void;
}

/** Of the disks that have been attached for long: a trace that names no disk means none of them. */
const LONG_AGO_MS = 30 * 24 * 3_600_000;

/** An id that follows from the name, so that the same thing has the same id in every run and an event can name it. */
function idFor(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Two servers with two disks each, a disk by itself, a cluster. Tags so that policies can choose. Of the disks web-1-data
 * alone was attached just now.
 */
export function makeEstate(cloud: EmbeddedCloud): TourEstate {
  const web = cloud.addServer({ id: idFor("web-1"), name: "web-1", tags: { role: "web" } });
  const database = cloud.addServer({
    id: idFor("database-1"),
    name: "database-1",
    tags: { role: "database", backup: "daily" },
  });
  const disk = (name: string, size: number, serverId?: string, tags: Record<string, string> = {}) => {
    const attachedAt = cloud.clock.now() - (name === "web-1-data" ? 0 : LONG_AGO_MS);
    return cloud.addVolume({ id: idFor(name), name, size, tags, ...(serverId ? { serverId, attachedAt } : {}) });
  };
  const disks = [
    { ...disk("web-1-system", 40, web.id), server: web },
    { ...disk("web-1-data", 100, web.id, { backup: "daily" }), server: web },
    { ...disk("database-1-system", 40, database.id), server: database },
    { ...disk("database-1-data", 500, database.id, { backup: "daily" }), server: database },
    { ...disk("archive", 1000, undefined, { backup: "daily", tier: "cold" }), server: undefined },
  ];
  const tags = { backup: "daily" };
  const warehouse = cloud.addCluster({ id: idFor("warehouse"), name: "warehouse", tags });

  const lines = [
    ...[web, database].map(({ name, id, tags }) => ({ what: "server", name, id, attachedTo: "", tags })),
    ...disks.map(({ name, id, server, tags }) => ({ what: "disk", name, id, attachedTo: server?.name ?? "-", tags })),
    { what: "cluster", name: warehouse.name, id: warehouse.id, attachedTo: "", tags },
  ];
  const names = new Map(lines.map(({ id, name }) => [id, name]));
  return {
    web: web.id,
    database: database.id,
    webData: idFor("web-1-data"),
    archive: idFor("archive"),
    warehouse: warehouse.id,
    lines,
    nameOf: (id) => names.get(id) ?? id,
    idOf: idFor,
    attached(disk, server) {
      const line = lines.find(({ name }) => name === disk);
      if (line !== undefined) line.attachedTo = server;
    },
  };
}

/** The snapshots that somebody asked for: a group stands for its members. */
export function ownSnapshots(cloud: EmbeddedCloud): SnapshotView[] {
  return cloud.snapshots().filter((snapshot) => !snapshot.snapshot_group_id);
}

/** What a snapshot is of: the disk, the server or the cluster. */
export function resourceOf(snapshot: SnapshotView): string {
  return snapshot.volume_id ?? snapshot.server_id ?? snapshot.cluster_id ?? "";
}

/** One word for all services: DWS writes upper case, the documents of groups `avaialble` in one place (DESIGN 5). */
export function plainStatus(status: string): string {
  const lower = status.toLowerCase();
  return lower === "avaialble" ? "available" : lower;
}

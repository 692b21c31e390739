/** Every way in which a snapshot comes about: each trigger with each kind that it can make. */
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../functions/create-standard-snapshot/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Kind, SnapshotView } from "../../infra/local/cloud/index.ts";
import { apig, type Invocation, timerEvent } from "../support/environment.ts";
import type { Factory, FaultySite } from "./faulty-environment.ts";

type Site = Pick<FaultySite, "cloud">;

export interface Target {
  kind: Kind;
  resource: string;
}

/** One event, with the function that takes it and what has to be there in the end. */
export interface Job {
  /** The function's name, as it is deployed. */
  name: string;
  factory: Factory;
  event: unknown;
  /** The same for each delivery. */
  how: Invocation;
  targets: Target[];
  /** What the delivery of a shard of it needs. */
  shards: boolean;
}

export type Trigger = "http" | "direct" | "timer" | "shards" | "gate" | "cts" | "eventgrid";
export const KINDS: Kind[] = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];
const OF_DISKS: Kind[] = ["snapshot", "standard-snapshot"];

/** Which kinds a trigger can make. */
export const TRIGGERS: Record<Trigger, Kind[]> = {
  http: KINDS,
  direct: KINDS,
  timer: KINDS,
  shards: KINDS,
  gate: KINDS,
  cts: OF_DISKS,
  eventgrid: OF_DISKS,
};

export interface Cell {
  trigger: Trigger;
  kind: Kind;
}

export const CELLS: Cell[] = (Object.keys(TRIGGERS) as Trigger[]).flatMap((trigger) =>
  TRIGGERS[trigger].map((kind) => ({ trigger, kind })),
);

const CREATE: Record<Kind, Pick<Job, "name" | "factory">> = {
  snapshot: { name: "create-snapshot", factory: createSnapshot },
  "standard-snapshot": { name: "create-standard-snapshot", factory: createStandardSnapshot },
  "snapshot-group": { name: "create-snapshot-group", factory: createSnapshotGroup },
  "cluster-snapshot": { name: "create-cluster-snapshot", factory: createClusterSnapshot },
};
const SCHEDULED = { name: "scheduled-snapshots", factory: scheduledSnapshots };
const GATE = { name: "pre-deploy", factory: preDeploy };
const ATTACHED = { name: "disk-attached", factory: diskAttached };
const IDS: Record<Kind, string> = {
  snapshot: "volume_ids",
  "standard-snapshot": "volume_ids",
  "snapshot-group": "server_ids",
  "cluster-snapshot": "cluster_ids",
};

/** The cloud's own names of the calls of a kind. */
export const CREATES: Record<Kind, string> = {
  snapshot: "evs.createSnapshot",
  "standard-snapshot": "evs.createStandardSnapshot",
  "snapshot-group": "evs.createSnapshotGroup",
  "cluster-snapshot": "dws.createSnapshot",
};
export const LISTS: Record<Kind, string> = {
  snapshot: "evs.listSnapshots",
  "standard-snapshot": "evs.listStandardSnapshots",
  "snapshot-group": "evs.listSnapshotGroups",
  "cluster-snapshot": "dws.listSnapshots",
};

const TAGS = { backup: "daily" };

/** Makes what a snapshot can be taken of. */
export function addResource({ cloud }: Site, kind: Kind): string {
  if (kind === "cluster-snapshot") return cloud.addCluster({ tags: TAGS }).id;
  if (kind !== "snapshot-group") return cloud.addVolume({ tags: TAGS }).id;
  const { id } = cloud.addServer({ tags: TAGS });
  for (let disks = 0; disks < 2; disks += 1) cloud.addVolume({ serverId: id });
  return id;
}

/** The time of an event that happens now, on the clock that the site's functions and its cloud share. */
export const eventTime = ({ cloud }: Site): string => `${new Date(cloud.clock.now()).toISOString().slice(0, 19)}Z`;

/** A job over `size` resources, where its trigger takes more than one. */
export function jobOf(site: Site, { trigger, kind }: Cell, size = 1): Job {
  const many = trigger === "timer" || trigger === "shards" || trigger === "gate";
  const resources = Array.from({ length: many ? size : 1 }, () => addResource(site, kind));
  const [resource = ""] = resources;
  const targets = resources.map((one) => ({ kind, resource: one }));
  const job = { targets, shards: false, how: {} as Invocation };
  switch (trigger) {
    case "http":
    case "direct": {
      const body = createBody(kind, resource);
      const how = { requestId: "b0f2c1d7-3d0f-4a9e-9c1b-6a1c2d3e4f50" };
      return trigger === "http"
        ? { ...job, ...CREATE[kind], event: apig(body, { "idempotency-key": "release-7" }) }
        : { ...job, ...CREATE[kind], event: body, how };
    }
    case "timer":
    case "shards": {
      const policy = { policy: "nightly", targets: [{ kind, tags: TAGS }] };
      const variables = trigger === "shards" ? { SHARD_SIZE: "2" } : {};
      const shards = trigger === "shards";
      return { ...job, ...SCHEDULED, event: timerEvent(policy, eventTime(site)), how: { variables }, shards };
    }
    case "gate": {
      const body = { deployment_id: "release-7", targets: [{ kind, [IDS[kind]]: resources }] };
      return { ...job, ...GATE, event: apig(body) };
    }
    case "cts":
    case "eventgrid": {
      const server = site.cloud.addServer().id;
      site.cloud.attach(resource, server);
      const time = eventTime(site);
      const trace = traceOf(server, resource, time);
      const event = trigger === "cts" ? { cts: trace } : cloudEventOf(trace, time);
      return { ...job, ...ATTACHED, event, how: { variables: { DISK_ATTACHED_KIND: kind } } };
    }
  }
}

function createBody(kind: Kind, resource: string) {
  switch (kind) {
    case "snapshot-group":
      return { snapshot_group: { server_id: resource } };
    case "cluster-snapshot":
      return { snapshot: { name: "before-release-7", cluster_id: resource } };
    default:
      return { snapshot: { volume_id: resource } };
  }
}

const traceOf = (serverId: string, volumeId: string, time: string) => ({
  trace_name: "attachVolume",
  service_type: "ECS",
  trace_rating: "normal",
  code: "200",
  time: Date.parse(time),
  resource_id: serverId,
  request: JSON.stringify({ volumeAttachment: { volumeId } }),
});

const cloudEventOf = (data: unknown, time: string) => ({
  specversion: "1.0",
  id: "4b26115b-73d0-4f40-a5ba-1d9d5b9f40e1",
  source: "HC.ECS",
  type: "ECS:CloudTrace:ApiCall",
  time,
  data,
});

/** What a snapshot of the cloud is of. */
export const resourceOf = ({ kind, volume_id, server_id, cluster_id }: SnapshotView): string =>
  String(kind === "snapshot-group" ? server_id : kind === "cluster-snapshot" ? cluster_id : volume_id);

/** A gate's caller, and one who gave the name of a cluster's snapshot, decide themselves what becomes of one that failed. */
export const startsAnew = ({ trigger, kind }: Cell): boolean =>
  trigger !== "gate" && !(kind === "cluster-snapshot" && (trigger === "http" || trigger === "direct"));

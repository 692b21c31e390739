/** Creates an event for each combination of a trigger and a kind of snapshot that the trigger supports. */
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../functions/create-standard-snapshot/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { apig, type Invocation, timerEvent } from "../support/environment.ts";
import { addResource, createBody, DISK_KINDS, KINDS, type Kind, targetOf } from "../support/kinds.ts";
import type { Factory, FaultyEnvironment } from "./faulty-environment.ts";

type WithCloud = Pick<FaultyEnvironment, "cloud">;

export interface Target {
  kind: Kind;
  resource: string;
}

/** One event, the function that processes it, and the targets that must have a snapshot after all deliveries. */
export interface Job {
  /** The name of the function that processes the event. */
  name: string;
  factory: Factory;
  event: unknown;
  /** The options of every delivery of the event, such as environment variables. */
  invocation: Invocation;
  targets: Target[];
  /** Whether the function splits the targets into shards. */
  shards: boolean;
}

export type Trigger = "http" | "direct" | "timer" | "shards" | "gate" | "cts" | "eventgrid";

/** Maps each trigger to the kinds of snapshots that it can create. */
export const TRIGGERS: Record<Trigger, Kind[]> = {
  http: KINDS,
  direct: KINDS,
  timer: KINDS,
  shards: KINDS,
  gate: KINDS,
  cts: DISK_KINDS,
  eventgrid: DISK_KINDS,
};

/** A trigger and a kind of snapshot that the trigger can create. */
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

const TAGS = { backup: "daily" };

/** Adds a resource that has the tags of the policy. Returns its id. */
export const addTaggedResource = ({ cloud }: WithCloud, kind: Kind): string =>
  addResource(cloud, kind, { tags: TAGS }).id;

/** Returns the current time of the embedded cloud's clock in the format of events. */
export const eventTime = ({ cloud }: WithCloud): string => `${new Date(cloud.clock.now()).toISOString().slice(0, 19)}Z`;

/** Creates a job with `size` resources, or with one resource if the trigger supports only one. */
export function createJob(environment: WithCloud, { trigger, kind }: Cell, size = 1): Job {
  const supportsMany = trigger === "timer" || trigger === "shards" || trigger === "gate";
  const resources = Array.from({ length: supportsMany ? size : 1 }, () => addTaggedResource(environment, kind));
  const [resource = ""] = resources;
  const targets = resources.map((one) => ({ kind, resource: one }));
  const job = { targets, shards: false, invocation: {} as Invocation };
  switch (trigger) {
    case "http":
    case "direct": {
      const body = createBody(kind, resource, kind === "cluster-snapshot" ? { name: "before-release-7" } : {});
      const invocation = { requestId: "b0f2c1d7-3d0f-4a9e-9c1b-6a1c2d3e4f50" };
      return trigger === "http"
        ? { ...job, ...CREATE[kind], event: apig(body, { "idempotency-key": "release-7" }) }
        : { ...job, ...CREATE[kind], event: body, invocation };
    }
    case "timer":
    case "shards": {
      const policy = { policy: "nightly", targets: [{ kind, tags: TAGS }] };
      const variables = trigger === "shards" ? { SHARD_SIZE: "2" } : {};
      const shards = trigger === "shards";
      return {
        ...job,
        ...SCHEDULED,
        event: timerEvent(policy, eventTime(environment)),
        invocation: { variables },
        shards,
      };
    }
    case "gate": {
      const body = { deployment_id: "release-7", targets: [targetOf(kind, resources)] };
      return { ...job, ...GATE, event: apig(body) };
    }
    case "cts":
    case "eventgrid": {
      const server = environment.cloud.addServer().id;
      environment.cloud.attach(resource, server);
      const time = eventTime(environment);
      const trace = traceOf(server, resource, time);
      const event = trigger === "cts" ? { cts: trace } : cloudEventOf(trace, time);
      return { ...job, ...ATTACHED, event, invocation: { variables: { DISK_ATTACHED_KIND: kind } } };
    }
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

/**
 * Returns whether a redelivery replaces a failed snapshot. pre-deploy replaces a failed snapshot only if the caller sets
 * `retry_failed`. If a caller chose the name of a failed cluster snapshot, DWS rejects a replacement with that name.
 */
export const retriesFailed = ({ trigger, kind }: Cell): boolean =>
  trigger !== "gate" && !(kind === "cluster-snapshot" && (trigger === "http" || trigger === "direct"));

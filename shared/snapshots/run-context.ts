import type { Instant } from "../core/instant.ts";
import type { RetryBudget } from "../core/retry.ts";
import type { InFlight } from "./create/in-flight.ts";
import type { MakeRoom } from "./create/request.ts";
import type { Target } from "./policy.ts";
import type { Cloud } from "./ports.ts";
import type { ResultReporter, RunNotices } from "./reporting.ts";

/** What all snapshots of a run share. */
export interface Run {
  /** Identifies a snapshot of the run together with its kind and resource; see `deriveKey`. */
  idempotencyKey: string;
  /** The policy in the marker. */
  policy: string;
  /** The beginning of generated names. */
  label: string;
  /** The time in generated names. */
  time?: Instant;
  projectId: string;
  deploymentId?: string;
  /** Called before each create; see `makeRoomBy`. */
  makeRoom?: MakeRoom;
  /** True if another process may create snapshots of the same targets at the same time. */
  again?: boolean;
}

/** What a use case needs to run. */
export interface RunContext extends RunNotices {
  cloud: Cloud;
  retryBudget: RetryBudget;
  report: ResultReporter;
  inFlight: InFlight;
  /** The maximum number of targets that are processed at the same time. */
  concurrency: number;
  /** How many snapshots of a kind fit into memory, if they are only read. Default: no limit. */
  maxSnapshots?: number;
  /** How many snapshots to create or to delete fit into memory. Default: no limit. */
  maxTargets?: number;
}

/** Returns the fields that the record of a target begins with. */
export const targetFields = ({ kind, resource }: Target, { policy, deploymentId }: Run) =>
  ({
    action: "create",
    kind: kind.name,
    resource_id: resource,
    policy,
    ...(deploymentId === undefined ? {} : { deployment_id: deploymentId }),
  }) as const;

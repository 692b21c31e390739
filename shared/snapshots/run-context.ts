import type { Instant } from "../core/instant.ts";
import type { RetryBudget } from "../core/retry.ts";
import type { InFlight } from "./create/in-flight.ts";
import type { MakeRoom } from "./create/request.ts";
import type { DeployedPolicies } from "./deployed-policies.ts";
import type { Target } from "./policy.ts";
import type { Cloud } from "./ports.ts";
import type { ResultReporter, RunNotices } from "./reporting.ts";

/** The values that all create requests of one run have in common. */
export interface Run {
  /**
   * All create requests of the run have this idempotency key. One run creates one snapshot of each kind for each resource; see
   * `deriveKey`.
   */
  idempotencyKey: string;
  /** The policy name in the labels that identify a snapshot as created by this project. */
  policy: string;
  /** The first part of the snapshot names that this run generates. */
  label: string;
  /** The time in the snapshot names that this run generates. */
  time?: Instant;
  projectId: string;
  deploymentId?: string;
  /**
   * If a resource has the maximum number of snapshots, deletes old snapshots of the resource before a create request; see
   * `makeRoomBy`.
   */
  makeRoom?: MakeRoom;
  /** The number of processes that create snapshots of this run at the same time and share the rate limits. Default: 1. */
  processes?: number;
  /** True if another process may be creating snapshots of the same targets at the same time. */
  again?: boolean;
}

/** The dependencies and limits that a use case, such as `createAll` or `prune`, receives for one run. */
export interface RunContext extends RunNotices {
  cloud: Cloud;
  retryBudget: RetryBudget;
  report: ResultReporter;
  inFlight: InFlight;
  /** The policies that Terraform deployed. Undefined if they are unknown. */
  deployed?: DeployedPolicies;
  /** The maximum number of targets that are processed at the same time. */
  concurrency: number;
  /** The maximum number of listed snapshots of one kind that fit into memory. Default: no limit. */
  maxSnapshots?: number;
  /** The maximum number of snapshots that a run can create or delete before it runs out of memory. Default: no limit. */
  maxTargets?: number;
}

/** Returns the fields that are known when the result record of a target is opened. */
export const targetFields = ({ kind, resource }: Target, { policy, deploymentId }: Run) =>
  ({
    action: "create",
    kind: kind.name,
    resource_id: resource,
    policy,
    ...(deploymentId === undefined ? {} : { deployment_id: deploymentId }),
  }) as const;

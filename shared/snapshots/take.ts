import { eachOf } from "./each-of.ts";
import { type Ensured, ensure, type InFlight } from "./ensure.ts";
import type { Instant } from "./instant.ts";
import { KINDS } from "./kinds/index.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import type { Report } from "./outcome.ts";
import { needsLookup, type Selector, type Target, targetsOf, withoutRepeats } from "./policy.ts";
import type { Cloud, Resource } from "./ports.ts";
import { asSnapshotError, type SnapshotError } from "./reasons.ts";
import { type Patience, retryRead } from "./waiting.ts";

/** What the snapshots of a run have in common. */
export interface Run {
  /** What makes each of them one, together with its resource; see `keyOf`. */
  key: string;
  /** The policy that they are marked with. */
  policy: string;
  /** What their names begin with, and the time in them. */
  label: string;
  time?: Instant;
  projectId: string;
  deploymentId?: string;
}

/** What a use case works with. */
export interface Means {
  cloud: Cloud;
  patience: Patience;
  report: Report;
  inFlight: InFlight;
  /** How many targets are worked on at a time. */
  concurrency: number;
}

/**
 * The targets that selectors name, each once; a kind's resources are listed once, and only where tags ask for it. Where
 * that fails, the selector has a failed record of its own and the others go on.
 */
export async function select(
  selectors: readonly Selector[],
  run: Run,
  { cloud, patience, report }: Pick<Means, "cloud" | "patience" | "report">,
): Promise<Target[]> {
  const lists = new Map<string, Promise<Resource[]>>();
  const targets: Target[] = [];
  for (const selector of selectors) {
    const kind: Kind = KINDS[selector.kind];
    // Two kinds of the same resource share its list: a disk is a disk.
    const list = () => retryRead(() => cloud(kind).resources(), patience);
    if (needsLookup(selector) && !lists.has(kind.policy.id)) lists.set(kind.policy.id, list());
    try {
      targets.push(...targetsOf(selector, kind, (await lists.get(kind.policy.id)) ?? []));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const detail = "What the tags select could not be looked up.";
      const end = report({ action: "create", kind: kind.kind, policy: run.policy });
      end({ outcome: "failed", detail, error });
    }
  }
  return withoutRepeats(targets);
}

/** What there is already of a run: looked up in bulk, once for each kind. */
export type Known = (target: Target) => Promise<FoundSnapshot[]>;

export function lookUp(run: Run, { cloud, patience }: Pick<Means, "cloud" | "patience">): Known {
  const lists = new Map<string, Promise<Map<string | undefined, FoundSnapshot[]>>>();
  const list = async (kind: Kind) => {
    const byResource = new Map<string | undefined, FoundSnapshot[]>();
    for (const found of await retryRead(() => cloud(kind).listAll(), patience)) {
      // Of an estate's thousands of snapshots only those of this run are kept; a unique name can be anybody's.
      if (found.marker?.key !== run.key && !kind.uniqueNames) continue;
      const resource = kind.uniqueNames ? undefined : found.resource;
      byResource.set(resource, [...(byResource.get(resource) ?? []), found]);
    }
    return byResource;
  };
  return async ({ kind, resource }) => {
    if (!lists.has(kind.kind)) lists.set(kind.kind, list(kind));
    const byResource = await lists.get(kind.kind);
    return byResource?.get(kind.uniqueNames ? undefined : resource) ?? [];
  };
}

/** One target of a run, made sure of. */
export const takeOne = (target: Target, run: Run, means: Means, known?: FoundSnapshot[]): Promise<Ensured> =>
  ensure(
    { ...run, kind: target.kind, options: target.options },
    means.cloud(target.kind),
    means.patience,
    means.inFlight,
    known,
  );

/**
 * Takes every target, several at a time, each with its record. One target's error never stops the others, except for one
 * that concerns the whole account: then each target that is left gets that record, and the cloud no further call.
 *
 * @param until the last moment at which work on a target begins
 * @returns the targets that were not begun
 */
export async function takeAll(targets: readonly Target[], run: Run, means: Means, until: Instant): Promise<Target[]> {
  const known = lookUp(run, means);
  const left: Target[] = [];
  let stopped: SnapshotError | undefined;
  await eachOf(targets, means.concurrency, async (target) => {
    if (stopped === undefined && means.patience.time.now() >= until) {
      left.push(target);
      return;
    }
    const end = means.report(targetFields(target, run));
    try {
      if (stopped !== undefined) throw stopped;
      const { outcome, name, snapshotId, jobId, attempts } = await takeOne(target, run, means, await known(target));
      end({ outcome, name, snapshot_id: snapshotId, job_id: jobId, attempts });
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.reason === "AccountSuspended") stopped = error;
      end({ outcome: "failed", attempts: error.attempts, error });
    }
  });
  return left;
}

/** What the record of a target begins with. */
export const targetFields = ({ kind, resource }: Target, { policy, deploymentId }: Run) =>
  ({
    action: "create",
    kind: kind.kind,
    resource_id: resource,
    policy,
    ...(deploymentId === undefined ? {} : { deployment_id: deploymentId }),
  }) as const;

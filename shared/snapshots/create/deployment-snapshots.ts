import { SnapshotError } from "../../core/errors.ts";
import { credibleTime, formatInstant, type Instant, instant } from "../../core/instant.ts";
import { retryRead } from "../../core/retry.ts";
import { type FoundSnapshot, isLive } from "../kinds/kind.ts";
import { compareWithDisks, seemsComplete } from "../kinds/snapshot-group.ts";
import { hashRequest } from "../marker.ts";
import { foreignReason } from "../ownership.ts";
import type { Target } from "../policy.ts";
import type { AttachedDisk } from "../ports.ts";
import type { Run, RunContext } from "../run-context.ts";
import type { SnapshotIndex } from "./existing-snapshots.ts";

/** Interprets lists for the snapshots of one deployment. A missing field never counts in favour of a snapshot. */
export interface DeploymentSnapshots {
  /** Returns the snapshots that may be of a target. The state of a group includes the comparison with its disks. */
  list(target: Target, index: SnapshotIndex): Promise<FoundSnapshot[]>;
  /** Returns the snapshots of the target that calls for this deployment created. */
  ofDeployment(target: Target, listed: readonly FoundSnapshot[]): FoundSnapshot[];
  /**
   * Returns the snapshot that decides about the target: an available duplicate if there is one, otherwise the same snapshot
   * as before.
   *
   * @param before the snapshot that decided before, or that the create returned
   */
  pick(
    target: Target,
    listed: readonly FoundSnapshot[],
    before: { snapshot_id?: string; name?: string },
  ): FoundSnapshot | undefined;
  /** Records that this call created a snapshot, so its age is known even if the cloud returns no time. */
  markCreated(id: string): void;
  /** Returns whether this call created a snapshot. */
  isCreatedHere(id: string): boolean;
  /** Returns the error for a snapshot that is too old or of unknown age, or undefined if it can be of this deployment. */
  refusalOf(snapshot: FoundSnapshot): SnapshotError | undefined;
}

const HOUR_MS = 3_600_000;

/**
 * Creates the interpreter of lists for a deployment.
 *
 * @param maxAgeMs the maximum age of a snapshot of the deployment
 */
export function deploymentSnapshots(
  run: Run & { deploymentId: string },
  { cloud, retryBudget }: Pick<RunContext, "cloud" | "retryBudget">,
  maxAgeMs: number,
): DeploymentSnapshots {
  const { time } = retryBudget;
  const createdHere = new Map<string, Instant>();
  const disks = new Map<string, Promise<AttachedDisk[]>>();

  /** Returns the disks that a group should contain. Lists them once, because disks that are attached later do not count. */
  function disksOf({ kind, resource, options }: Target): Promise<AttachedDisk[]> {
    if (Array.isArray(options.volume_ids)) return Promise.resolve(options.volume_ids.map((id) => ({ id: String(id) })));
    const cached = disks.get(resource);
    if (cached !== undefined) return cached;
    const reading = retryRead(async () => (await cloud(kind).disksOf?.(resource)) ?? [], retryBudget);
    disks.set(resource, reading);
    // After a failure, the next poll lists the disks again.
    reading.catch(() => disks.delete(resource));
    return reading;
  }

  const ofDeployment: DeploymentSnapshots["ofDeployment"] = (target, listed) =>
    ofTarget(target, listed).filter(({ marker }) => marker?.idempotencyKey === run.idempotencyKey);

  return {
    ofDeployment,
    async list(target, index) {
      const listed = await index(target);
      const groups = target.kind.hasMembers ? ofDeployment(target, listed).filter(seemsComplete) : [];
      if (groups.length === 0) return listed;
      const expected = await disksOf(target);
      return listed.map((one) => {
        if (!groups.includes(one)) return one;
        const now = time.now();
        // The clocks may differ, so use the later time. A list may show a member late.
        const times = [credibleTime(one.created, now), createdHere.get(one.id)].filter((at) => at !== undefined);
        return compareWithDisks(one, expected, now, times.length === 0 ? undefined : instant(Math.max(...times)));
      });
    },
    pick(target, listed, { snapshot_id, name }) {
      const named = ofTarget(target, listed).find(
        ({ id, marker, name: listedName }) =>
          id === snapshot_id &&
          // A list may omit the description of a cluster's snapshot, which contains the marker. Its name is unique.
          (marker === undefined
            ? listedName.toLowerCase() === name?.toLowerCase()
            : marker.idempotencyKey === run.idempotencyKey),
      );
      const requestHash = hashRequest(target.kind.name, target.options);
      const duplicates = ofDeployment(target, listed).filter(({ marker }) => marker?.requestHash === requestHash);
      const candidates = [...(named === undefined ? [] : [named]), ...duplicates].filter(isLive);
      return candidates.find(({ state }) => state === "available") ?? candidates[0] ?? named;
    },
    markCreated: (id) => void createdHere.set(id, time.now()),
    isCreatedHere: (id) => createdHere.has(id),
    refusalOf({ id, state, created }) {
      const now = time.now();
      const since = credibleTime(created, now);
      if (since === undefined) {
        // A service may return no time until the snapshot is created.
        const isYoung = state === "creating" || createdHere.has(id);
        return isYoung ? undefined : undated(run.deploymentId, id, created);
      }
      // The cloud's clock may be behind, and the call itself can take a minute.
      const maxAge = createdHere.has(id) ? Math.max(maxAgeMs, HOUR_MS) : maxAgeMs;
      return now - since > maxAge ? tooOld(run.deploymentId, id) : undefined;
    },
  };
}

/** Returns the snapshots of the target's resource. If a list omits the resource, the hash of the request decides. */
const ofTarget = ({ kind, resource, options }: Target, listed: readonly FoundSnapshot[]): FoundSnapshot[] =>
  listed.filter(
    (one) =>
      foreignReason(one) === undefined &&
      (one.resource === undefined
        ? one.marker?.requestHash === hashRequest(kind.name, options)
        : one.resource === resource),
  );

const refused = (deploymentId: string, problem: string) =>
  new SnapshotError(
    "Conflict",
    `deployment_id: expected a deployment in progress, got ${JSON.stringify(deploymentId)}, whose snapshot ${problem}`,
  );

const tooOld = (deploymentId: string, id: string) =>
  refused(deploymentId, `${id} is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes.`);

const undated = (deploymentId: string, id: string, created: Instant | undefined) => {
  const actual = created === undefined ? "no readable creation time" : `the creation time ${formatInstant(created)}`;
  return refused(
    deploymentId,
    `${id} has ${actual}, so its age is unknown. Use a new deployment_id. If new snapshots have no time either, set "wait_seconds" in the call that creates them.`,
  );
};

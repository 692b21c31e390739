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
import type { BulkList } from "./bulk-list.ts";

/** Finds the snapshots of one deployment in list responses. */
export interface DeploymentSnapshotFinder {
  /**
   * Returns the listed snapshots that may belong to a target. If a snapshot group has no member for one of its disks, the
   * function changes the state of the group.
   */
  list(target: Target, list: BulkList): Promise<FoundSnapshot[]>;
  /** Returns the snapshots of one target that this call or an earlier call for the same deployment created. */
  ofDeployment(target: Target, listed: readonly FoundSnapshot[]): FoundSnapshot[];
  /**
   * Returns the snapshot that determines the progress of a target. If duplicates exist, an available duplicate has precedence.
   *
   * @param before the snapshot that determined the previous progress, or that the create request returned
   */
  pick(
    target: Target,
    listed: readonly FoundSnapshot[],
    before: { snapshot_id?: string; name?: string },
  ): FoundSnapshot | undefined;
  /**
   * Remembers that this call created a snapshot. The age of the snapshot is then known even if EVS or DWS returns no creation
   * time.
   */
  markCreated(id: string): void;
  /** Returns whether this call created a snapshot. */
  isCreatedHere(id: string): boolean;
  /**
   * Returns the error for a snapshot that is too old for this deployment or has no known age. Returns undefined if the snapshot
   * can belong to this deployment.
   */
  ageErrorOf(snapshot: FoundSnapshot): SnapshotError | undefined;
}

const HOUR_MS = 3_600_000;

/**
 * Creates the object that finds the snapshots of a deployment during one call of the deployment gate.
 *
 * @param maxAgeMs the maximum age of a snapshot of the deployment, in milliseconds
 */
export function createSnapshotFinder(
  run: Run & { deploymentId: string },
  { cloud, retryBudget }: Pick<RunContext, "cloud" | "retryBudget">,
  maxAgeMs: number,
): DeploymentSnapshotFinder {
  const { time } = retryBudget;
  const createdHere = new Map<string, Instant>();
  const disks = new Map<string, Promise<AttachedDisk[]>>();

  /**
   * Returns the disks that a snapshot group must contain. Lists the disks of a server only once per call, because a disk that
   * is attached later does not have to be in the group.
   */
  function disksOf({ kind, resource, options }: Target): Promise<AttachedDisk[]> {
    if (Array.isArray(options.volume_ids)) return Promise.resolve(options.volume_ids.map((id) => ({ id: String(id) })));
    const cached = disks.get(resource);
    if (cached !== undefined) return cached;
    const reading = retryRead(async () => (await cloud(kind).disksOf?.(resource)) ?? [], retryBudget);
    disks.set(resource, reading);
    // If the list request failed, remove it from `disks`, so the next call of `disksOf` sends another list request.
    reading.catch(() => disks.delete(resource));
    return reading;
  }

  const ofDeployment: DeploymentSnapshotFinder["ofDeployment"] = (target, listed) =>
    ofTarget(target, listed).filter(({ marker }) => marker?.idempotencyKey === run.idempotencyKey);

  return {
    ofDeployment,
    async list(target, list) {
      const listed = await list.find(target);
      const groups = target.kind.hasMembers ? ofDeployment(target, listed).filter(seemsComplete) : [];
      if (groups.length === 0) return listed;
      const expected = await disksOf(target);
      return listed.map((found) => {
        if (!groups.includes(found)) return found;
        const now = time.now();
        // A new group lacks members in list responses for some seconds, and must not count as incomplete during this time. The
        // clock of EVS and the clock of this process may differ, so the time starts at the later of both creation times.
        const times = [credibleTime(found.created, now), createdHere.get(found.id)].filter((at) => at !== undefined);
        return compareWithDisks(found, expected, now, times.length === 0 ? undefined : instant(Math.max(...times)));
      });
    },
    pick(target, listed, { snapshot_id, name }) {
      const previous = ofTarget(target, listed).find(
        ({ id, marker, name: listedName }) =>
          id === snapshot_id &&
          // A DWS list response may omit the description, which contains the snapshot marker. Then compare the snapshot name,
          // which is unique in the project.
          (marker === undefined
            ? listedName.toLowerCase() === name?.toLowerCase()
            : marker.idempotencyKey === run.idempotencyKey),
      );
      const requestHash = hashRequest(target.kind.name, target.options);
      const duplicates = ofDeployment(target, listed).filter(({ marker }) => marker?.requestHash === requestHash);
      const candidates = [...(previous === undefined ? [] : [previous]), ...duplicates].filter(isLive);
      return candidates.find(({ state }) => state === "available") ?? candidates[0] ?? previous;
    },
    markCreated: (id) => void createdHere.set(id, time.now()),
    isCreatedHere: (id) => createdHere.has(id),
    ageErrorOf({ id, state, created }) {
      const now = time.now();
      const since = credibleTime(created, now);
      if (since === undefined) {
        // EVS or DWS may return the creation time of a snapshot only when the snapshot is complete. Accept a snapshot without a
        // creation time if it is in creation, or if this call created it.
        const isYoung = state === "creating" || createdHere.has(id);
        return isYoung ? undefined : unknownAgeError(run.deploymentId, id, created);
      }
      // If this call created the snapshot, accept an age of at least one hour, because the clock of EVS or DWS may be behind
      // and this call can take a minute.
      const maxAge = createdHere.has(id) ? Math.max(maxAgeMs, HOUR_MS) : maxAgeMs;
      return now - since > maxAge ? tooOldError(run.deploymentId, id) : undefined;
    },
  };
}

/**
 * Returns the listed snapshots of the target's resource. If a list response contains no resource id for a snapshot, the
 * function compares the request hash of the snapshot with the request hash of the target.
 */
const ofTarget = ({ kind, resource, options }: Target, listed: readonly FoundSnapshot[]): FoundSnapshot[] =>
  listed.filter(
    (found) =>
      foreignReason(found) === undefined &&
      (found.resource === undefined
        ? found.marker?.requestHash === hashRequest(kind.name, options)
        : found.resource === resource),
  );

const ageError = (deploymentId: string, problem: string) =>
  new SnapshotError(
    "Conflict",
    `deployment_id: expected a deployment in progress, got ${JSON.stringify(deploymentId)}: the snapshot ${problem}`,
  );

const tooOldError = (deploymentId: string, id: string) =>
  ageError(deploymentId, `${id} is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes.`);

const unknownAgeError = (deploymentId: string, id: string, created: Instant | undefined) => {
  const actual = created === undefined ? "no readable creation time" : `the creation time ${formatInstant(created)}`;
  return ageError(
    deploymentId,
    `${id} has ${actual}, so its age is unknown. Use a new deployment_id. If this error occurs again, use another new deployment_id and set "wait_seconds" in its first request.`,
  );
};

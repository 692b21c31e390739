import { SnapshotError } from "../../core/errors.ts";
import { credibleTime, formatInstant, type Instant, instant } from "../../core/instant.ts";
import { retryRead } from "../../core/retry.ts";
import { type FoundSnapshot, isLive } from "../kinds/kind.ts";
import { compareWithDisks, seemsComplete } from "../kinds/snapshot-group.ts";
import { hashRequest } from "../marker.ts";
import { foreignReason } from "../ownership.ts";
import type { Target } from "../policy.ts";
import type { AttachedDisk } from "../ports.ts";
import type { Run, RunContext, SnapshotIndex } from "./create-all.ts";

/** Reads the lists for what they prove about the snapshots of one deployment. A field that is absent proves nothing. */
export interface DeploymentSnapshots {
  /** Returns the snapshots that may be of a target. A group has the state that the comparison with its disks gives. */
  list(target: Target, known: SnapshotIndex): Promise<FoundSnapshot[]>;
  /** Returns the snapshots of the target that a call of this deployment created. */
  ofDeployment(target: Target, listed: readonly FoundSnapshot[]): FoundSnapshot[];
  /**
   * Returns the snapshot that the gate goes by: an available duplicate, else the one that it went by before.
   *
   * @param before the snapshot that an earlier list or the create gave
   */
  pick(
    target: Target,
    listed: readonly FoundSnapshot[],
    before: { snapshot_id?: string; name?: string },
  ): FoundSnapshot | undefined;
  /** Remembers that this call created a snapshot: its age is known, whether or not the cloud gives a time. */
  markCreated(id: string): void;
  isCreatedHere(id: string): boolean;
  /** Returns the refusal of a snapshot that is too old or of unknown age; undefined if it may be of this deployment. */
  refusalOf(snapshot: FoundSnapshot): SnapshotError | undefined;
}

const HOUR_MS = 3_600_000;

export function deploymentSnapshots(
  run: Run & { deploymentId: string },
  { cloud, retryBudget }: Pick<RunContext, "cloud" | "retryBudget">,
  maxAgeMs: number,
): DeploymentSnapshots {
  const { time } = retryBudget;
  const createdHere = new Map<string, Instant>();
  const disks = new Map<string, Promise<AttachedDisk[]>>();

  /** Returns the disks that a group should have. The list is read once: disks that are attached later do not matter. */
  function disksOf({ kind, resource, options }: Target): Promise<AttachedDisk[]> {
    if (Array.isArray(options.volume_ids)) return Promise.resolve(options.volume_ids.map((id) => ({ id: String(id) })));
    const before = disks.get(resource);
    if (before !== undefined) return before;
    const reading = retryRead(async () => (await cloud(kind).disksOf?.(resource)) ?? [], retryBudget);
    disks.set(resource, reading);
    // A list that could not be read is read again at the next look.
    reading.catch(() => disks.delete(resource));
    return reading;
  }

  const ofDeployment: DeploymentSnapshots["ofDeployment"] = (target, listed) =>
    ofTarget(target, listed).filter(({ marker }) => marker?.idempotencyKey === run.idempotencyKey);

  return {
    ofDeployment,
    async list(target, known) {
      const listed = await known(target);
      const groups = target.kind.hasMembers ? ofDeployment(target, listed).filter(seemsComplete) : [];
      if (groups.length === 0) return listed;
      const expected = await disksOf(target);
      return listed.map((one) => {
        if (!groups.includes(one)) return one;
        const now = time.now();
        // The clocks may differ: a list may show a member late after either time.
        const times = [credibleTime(one.created, now), createdHere.get(one.id)].filter((at) => at !== undefined);
        return compareWithDisks(one, expected, now, times.length === 0 ? undefined : instant(Math.max(...times)));
      });
    },
    pick(target, listed, { snapshot_id, name }) {
      const named = ofTarget(target, listed).find(
        ({ id, marker, name: listedName }) =>
          id === snapshot_id &&
          // The list may have lost the description of a cluster's snapshot, and with it the marker: its name is unique.
          (marker === undefined
            ? listedName.toLowerCase() === name?.toLowerCase()
            : marker.idempotencyKey === run.idempotencyKey),
      );
      const content = hashRequest(target.kind.name, target.options);
      const duplicates = ofDeployment(target, listed).filter(({ marker }) => marker?.requestHash === content);
      const candidates = [...(named === undefined ? [] : [named]), ...duplicates].filter(isLive);
      return candidates.find(({ state }) => state === "available") ?? candidates[0] ?? named;
    },
    markCreated: (id) => void createdHere.set(id, time.now()),
    isCreatedHere: (id) => createdHere.has(id),
    refusalOf({ id, state, created }) {
      const now = time.now();
      const known = credibleTime(created, now);
      if (known === undefined) {
        // A service may give no time until the snapshot is created.
        const young = state === "creating" || createdHere.has(id);
        return young ? undefined : undated(run.deploymentId, id, created);
      }
      // The cloud's clock may be behind, and the call itself takes up to a minute.
      const maxAge = createdHere.has(id) ? Math.max(maxAgeMs, HOUR_MS) : maxAgeMs;
      return now - known > maxAge ? tooOld(run.deploymentId, id) : undefined;
    },
  };
}

/** Returns the snapshots of the target's resource. The request's hash covers the resource, for a list that leaves it out. */
const ofTarget = ({ kind, resource, options }: Target, listed: readonly FoundSnapshot[]): FoundSnapshot[] =>
  listed.filter(
    (one) =>
      foreignReason(one) === undefined &&
      (one.resource === undefined
        ? one.marker?.requestHash === hashRequest(kind.name, options)
        : one.resource === resource),
  );

const refused = (deploymentId: string, why: string) =>
  new SnapshotError(
    "Conflict",
    `deployment_id: expected a deployment that is under way, got ${JSON.stringify(deploymentId)}, whose snapshot ${why}`,
  );

const tooOld = (deploymentId: string, id: string) =>
  refused(deploymentId, `${id} is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes.`);

const undated = (deploymentId: string, id: string, created: Instant | undefined) => {
  const what =
    created === undefined ? "no creation time that can be read" : `the creation time ${formatInstant(created)}`;
  return refused(
    deploymentId,
    `${id} has ${what}, so its age is unknown. Use a new deployment_id. If new snapshots have no time either, set "wait_seconds" in the call that creates them: a later call cannot tell their age.`,
  );
};

import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { pauses, type RetryBudget, retryRead } from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { KINDS } from "../kinds/kinds.ts";
import { compact } from "../ownership.ts";
import { needsLookup, type Selector, type Target, targetsOf, withoutRepeats } from "../policy.ts";
import type { Cloud, Resource } from "../ports.ts";
import type { ResultReporter, RunNotices } from "../reporting.ts";
import { tooMany } from "../too-many.ts";
import { createOnce, type InFlight, type MakeRoom, serializeRuns, toRecordFields } from "./create-once.ts";

/** What the snapshots of a run have in common. */
export interface Run {
  /** What makes each of them one, together with its resource; see `keyOf`. */
  idempotencyKey: string;
  /** The policy that they are marked with. */
  policy: string;
  /** What their names begin with, and the time in them. */
  label: string;
  time?: Instant;
  projectId: string;
  deploymentId?: string;
  /** Called before a create; see `makeRoomBy`. */
  makeRoom?: MakeRoom;
  /** Another process was given the same targets, and may begin with them at the same moment. */
  again?: boolean;
}

/** What a use case works with. */
export interface RunContext extends RunNotices {
  cloud: Cloud;
  retryBudget: RetryBudget;
  report: ResultReporter;
  inFlight: InFlight;
  /** How many targets are worked on at a time. */
  concurrency: number;
  /** How many snapshots of a kind there is memory for, if they are only looked at. */
  maxSnapshots?: number;
  /** How many resources to create snapshots of, or snapshots to delete, there is memory for. */
  maxTargets?: number;
}

/** What selectors select. */
export interface Selection {
  targets: Target[];
  /** Kinds whose resources could not be looked up: their tags select nothing that is known of. */
  failures: { kind: Kind; error: SnapshotError }[];
  /** Those that select nothing, as `targets[1]`: a tag that was misspelled looks just so. */
  empty: string[];
  /** The targets whose id does not exist or could not be checked. Empty unless `checkIds` was set. */
  refused: ReadonlyMap<Target, SnapshotError>;
}

/**
 * Returns the targets that selectors name, each once. Resources are listed once, and only if `tags` or `exclude_tags` need it.
 *
 * @param checkIds also lists the resources that ids name: a dry run sends no create that would find a wrong id
 */
export async function selectTargets(
  selectors: readonly Selector[],
  {
    cloud,
    retryBudget,
    maxTargets = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxTargets">,
  checkIds = false,
): Promise<Selection> {
  const lists = new Map<string, Promise<Resource[]>>();
  const targets: Target[] = [];
  const failures: Selection["failures"] = [];
  const empty: string[] = [];
  const refused = new Map<Target, SnapshotError>();
  for (const [place, selector] of selectors.entries()) {
    const kind: Kind = KINDS[selector.kind];
    const isListed = checkIds || needsLookup(selector);
    // Two kinds of the same resource share its list: a disk is a disk.
    const list = () => retryRead(() => cloud(kind).resources(maxTargets), retryBudget);
    if (isListed && !lists.has(kind.target.idOption)) lists.set(kind.target.idOption, list());
    try {
      const found = isListed ? ((await lists.get(kind.target.idOption)) as Resource[]) : [];
      const selected = targetsOf(selector, kind, found);
      if (selected.length === 0) empty.push(`targets[${place}]`);
      targets.push(...selected);
      if (!checkIds) continue;
      const there = new Set(found.map(({ id }) => id.toLowerCase()));
      for (const target of selected) if (!there.has(target.resource)) refused.set(target, notThere(target));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const named = targetsOf({ ...selector, tags: undefined }, kind, []);
      if (!checkIds || selector.tags !== undefined) failures.push({ kind, error });
      // What is named by ids is known all the same, unless tags could exclude it.
      if (checkIds || selector.exclude_tags === undefined) targets.push(...named);
      if (checkIds) for (const target of named) refused.set(target, error);
    }
  }
  return { targets: withoutRepeats(targets), failures, empty, refused };
}

const notThere = ({ kind, resource }: Target) =>
  new SnapshotError(
    "NotFound",
    `${kind.target.idsField}: expected the id of something that exists, got "${resource}". Check the id and PROJECT_ID.`,
  );

/** A run that makes nothing for so long has ended: a call takes 10 s at most, and a list is up to 5 s late. */
const QUIET_MS = 20_000;

/** A list shows by then what was begun at the same moment. */
const BEGUN_MS = 10_000;

/** What there is already of a run: looked up in bulk, once for each kind. */
export interface SnapshotIndex {
  (target: Target): Promise<FoundSnapshot[]>;
  /** How many snapshots the target has, of whichever run; for kinds of which a resource takes but a few. */
  count(kind: Kind, resource: string): Promise<number>;
}

/** How long a look is trusted: another delivery of the event may be at work in another instance. */
const FRESH_MS = 30_000;
/** ... and for how many targets: for each page of 1,000 there are 20, so that looking is a twentieth of the calls at most. */
const ROWS_A_TARGET = 50;

/** Looks up each kind when the first target of it is asked for, and again where that was too long ago. */
export function indexExistingSnapshots(
  run: Run,
  {
    cloud,
    retryBudget,
    maxSnapshots = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxSnapshots">,
): SnapshotIndex {
  const lists = new Map<string, { at: Instant; targets: number; rows: number; reading: ReturnType<typeof read> }>();
  const read = async (kind: Kind) => {
    const byResource = new Map<string | undefined, FoundSnapshot[]>();
    const counts = new Map<string | undefined, number>();
    let rows = 0;
    let kept = 0;
    await cloud(kind).listAll((found) => {
      rows += 1;
      if (kind.maxPerResource !== undefined) counts.set(found.resource, (counts.get(found.resource) ?? 0) + 1);
      // Of an estate's thousands of snapshots only those of this run are kept; a unique name can be anybody's.
      if (found.marker?.idempotencyKey !== run.idempotencyKey && !kind.uniqueNames) return;
      const resource = kind.uniqueNames ? undefined : found.resource;
      if (kept >= maxSnapshots) throw tooMany(kind, maxSnapshots);
      kept += 1;
      const ofResource = byResource.get(resource) ?? [];
      ofResource.push(compact(found));
      byResource.set(resource, ofResource);
    });
    return { byResource, counts, rows };
  };
  const list = (kind: Kind) => {
    const now = retryBudget.time.now();
    let latest = lists.get(kind.name);
    const worthIt = latest !== undefined && latest.targets * ROWS_A_TARGET >= latest.rows;
    if (latest === undefined || (now - latest.at > FRESH_MS && worthIt)) {
      // A further look is a precaution: where it fails, what the one before it showed still stands.
      const before = latest?.reading;
      const reading = retryRead(() => read(kind), retryBudget);
      const look = { at: now, targets: 0, rows: 0, reading: before ? reading.catch(() => before) : reading };
      look.reading.then(
        ({ rows }) => Object.assign(look, { rows }),
        () => {},
      );
      lists.set(kind.name, look);
      latest = look;
    }
    latest.targets += 1;
    return latest.reading;
  };
  const known = async ({ kind, resource }: Target) => {
    const { byResource } = await list(kind);
    const named = kind.uniqueNames ? [] : (byResource.get(resource) ?? []);
    // What does not say what it is of could be of this.
    return [...named, ...(byResource.get(undefined) ?? [])];
  };
  const count = async (kind: Kind, resource: string) => (await list(kind)).counts.get(resource) ?? 0;
  return Object.assign(known, { count });
}

/**
 * Takes every target, several at a time, each with its record. One target's error never stops the others.
 *
 * @param until the last moment at which work on a target begins; where that is the end itself, nobody is left to hand on to,
 *   and what was not begun has failed
 * @param known what there is already; without it, it is looked up for each target by itself
 * @returns the targets that were not begun
 */
export async function createAll(
  targets: readonly Target[],
  run: Run,
  runContext: RunContext,
  until: Instant,
  known?: SnapshotIndex,
): Promise<Target[]> {
  const { cloud, retryBudget, inFlight, report, concurrency } = runContext;
  const left: Target[] = [];
  const breathe = pauses(retryBudget.time);
  const take = async (target: Target, from?: SnapshotIndex) => {
    await breathe();
    const tooLate = retryBudget.time.now() >= until;
    if (tooLate && until < retryBudget.deadline) {
      left.push(target);
      return;
    }
    const end = report(targetFields(target, run));
    try {
      if (tooLate) throw outOfTime();
      const { kind, options } = target;
      const found = await from?.(target);
      const created = await createOnce({ ...run, kind, options }, cloud(kind), retryBudget, inFlight, found);
      end(toRecordFields(created));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      end({ outcome: "failed", attempts: error.attempts, error });
    }
  };
  const takeEach = (from?: SnapshotIndex) => forEachConcurrent(targets, concurrency, (target) => take(target, from));
  if (known === undefined) {
    await takeEach();
    return left;
  }
  try {
    await serializeRuns(turnOf(run, targets), inFlight, retryBudget, async (again) =>
      takeEach(again ? known : await waitForConcurrentRun(targets, run, runContext, known)),
    );
  } catch (thrown) {
    const error = asSnapshotError(thrown);
    for (const target of targets) report(targetFields(target, run))({ outcome: "failed", error });
  }
  return left;
}

/**
 * An event whose run failed is delivered again, and its shards are handed on again, while what was handed on before may
 * still be at work elsewhere. So where a part is there already that was made just now, it is given time to grow; where
 * there is no such time, a target that is missed for good would be worse. Of no more targets than are worked on at a
 * time, all are begun at once: none is left that another delivery has yet to come to. Where nothing is there of what was
 * handed on before, it may be about to begin: what it makes is waited for once.
 */
async function waitForConcurrentRun(
  targets: readonly Target[],
  run: Run,
  runContext: RunContext,
  known: SnapshotIndex,
): Promise<SnapshotIndex> {
  const { time, deadline } = runContext.retryBudget;
  if (targets.length <= runContext.concurrency && !run.again) return known;
  let before = run.again ? undefined : 0;
  for (let latest = known; ; latest = indexExistingSnapshots(run, runContext)) {
    const made = await createdByRun(targets, run, latest);
    const now = time.now();
    const newest = made.flat().reduce((latest, { created }) => Math.max(latest, created ?? now), 0);
    const wait = made.length === 0 ? BEGUN_MS : Math.min(QUIET_MS, newest + QUIET_MS - now);
    if (made.length === before || made.length === targets.length || wait <= 0 || now + wait >= deadline) return latest;
    await time.sleep(wait);
    before = made.length;
  }
}

/** The snapshots of a run that there are already, of each target that has any. */
async function createdByRun(targets: readonly Target[], run: Run, known: SnapshotIndex): Promise<FoundSnapshot[][]> {
  const ofTarget = async (target: Target) => {
    // Stryker disable next-line ArrayDeclaration: what is no snapshot has no marker and does not count
    const found = await known(target).catch(() => []);
    return found.filter(
      ({ marker, resource }) => marker?.idempotencyKey === run.idempotencyKey && resource === target.resource,
    );
  };
  return (await Promise.all(targets.map(ofTarget))).filter(({ length }) => length > 0);
}

/** Whether an earlier delivery has made any of the targets' snapshots. */
export const hasBegun = async (targets: readonly Target[], run: Run, known: SnapshotIndex): Promise<boolean> =>
  (await createdByRun(targets, run, known)).length > 0;

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this target was begun. Raise the function's timeout or lower SHARD_SIZE.",
  );

/** The same event again is the same turn; the shards of a run, which begin with other targets, are others. */
const turnOf = ({ projectId, idempotencyKey }: Run, [first]: readonly Target[]): string =>
  // Stryker disable next-line StringLiteral,OptionalChaining: any name does; a run without targets does nothing
  JSON.stringify(["run", projectId, idempotencyKey, first?.kind.name, first?.resource]);

/** What the record of a target begins with. */
export const targetFields = ({ kind, resource }: Target, { policy, deploymentId }: Run) =>
  ({
    action: "create",
    kind: kind.name,
    resource_id: resource,
    policy,
    ...(deploymentId === undefined ? {} : { deployment_id: deploymentId }),
  }) as const;

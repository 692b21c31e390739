import { asSnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { LISTED_AFTER_MS, type RetryBudget, retryRead } from "../../core/retry.ts";
import { type FoundSnapshot, isLive, type Kind } from "../kinds/kind.ts";
import { hashRequest } from "../marker.ts";
import { toCompactSnapshot } from "../ownership.ts";
import type { Target } from "../policy.ts";
import type { Run, RunContext } from "../run-context.ts";
import { tooManySnapshotsError } from "../too-many-snapshots.ts";
import { createKindList, isNewestFirst, type KindList, MAX_AGE_MS, modeWithoutOrder } from "./kind-list.ts";

/**
 * The index of the snapshots that a run has already created. All targets of one kind of snapshot share its list requests.
 *
 * **Guarantee.** `find` uses only a list request that was sent at most 1 s plus its own duration ago. `createOnce` calls `find`
 * after the rate limiter and immediately before it sends a create request, so an old list response never justifies a create
 * request.
 *
 * **Cost.** One list of all snapshots per kind, and then at most one page of 200 rows per second while the run creates
 * snapshots. If a list request is throttled, the interval doubles, up to 8 s. DWS has no pages, so each refresh reads its whole
 * list.
 *
 * **Limits.** EVS documents no order of list responses. If a list response is not sorted by creation time, newest first, the index
 * reads the whole list. If that list is long or incomplete, the index lists the snapshots of each resource separately.
 */
export interface SnapshotIndex {
  /** Returns the snapshots that the run has created for a target. */
  find(target: Target): Promise<FoundSnapshot[]>;
  /** Returns the snapshots of a target from a list request for its resource that is sent now. */
  findAgain(target: Target): Promise<FoundSnapshot[]>;
  /**
   * Returns the number of all snapshots of a resource, including snapshots that other runs created. Only for kinds of snapshots
   * with `maxPerResource`. Returns undefined if the number is unknown.
   */
  count(kind: Kind, resource: string): Promise<number | undefined>;
  /**
   * Lists the snapshots of every kind in `targets` again, even if the last list response is fresh. If the index lists the
   * snapshots of each resource separately, it lists only the snapshots of the targets in `some`.
   */
  refresh(targets: readonly Target[], some: readonly Target[]): Promise<void>;
  /** Returns the snapshots of the run for the given targets, as the last list responses show them. */
  listed(targets: readonly Target[]): FoundSnapshot[];
  /** Records that this process created a snapshot, so the index can check that list responses show it in time. */
  addCreated(kind: Kind, id: string): void;
  /** Returns whether this process created the snapshot. */
  isOwn(id: string): boolean;
}

/** The maximum age after throttled list requests, in milliseconds. Without it, many processes would only list. */
const MAX_THROTTLED_AGE_MS = 8_000;
/** How long all targets fail with the error of a failed list request, in milliseconds, before it is sent again. */
const FAILURE_MS = 10_000;
/** The number of rows at the start of a list that are remembered. A refresh stops when it meets one of these rows. */
const REMEMBERED_ROWS = 1_000;

/**
 * Returns a function that sends a list request unless its last response is fresh.
 *
 * @param list sends a list request
 */
export function createFreshLook<Response>(
  list: () => Promise<Response>,
  retryBudget: RetryBudget,
): () => Promise<Response> {
  let last: { sentAt: Instant; durationMs: number; response: Response } | undefined;
  const now = () => retryBudget.time.now();
  return async () => {
    if (last === undefined || now() - last.sentAt > MAX_AGE_MS + last.durationMs) {
      last = await retryRead(async () => {
        const sentAt = now();
        const response = await list();
        return { sentAt, durationMs: now() - sentAt, response };
      }, retryBudget);
    }
    return last.response;
  };
}

/** Creates the index of the snapshots of a run. It sends the first list request for a kind when a caller asks for that kind. */
export function indexExistingSnapshots(
  run: Run,
  {
    cloud,
    retryBudget,
    maxSnapshots = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxSnapshots">,
): SnapshotIndex {
  const { time } = retryBudget;
  const lists = new Map<string, KindList>();
  const own = new Set<string>();
  const listOf = (kind: Kind): KindList => {
    const list = lists.get(kind.name) ?? createKindList();
    lists.set(kind.name, list);
    return list;
  };

  /** Adds a row of a list response. Keeps only snapshots of this run, because a project has thousands of snapshots. */
  const add = (kind: Kind, list: KindList, found: FoundSnapshot) => {
    list.unlisted.delete(found.id);
    // If the names of snapshots must be unique, any snapshot of the project can have the requested name.
    if (found.marker?.idempotencyKey !== run.idempotencyKey && !kind.uniqueNames) return;
    if (list.byId.size >= maxSnapshots && !list.byId.has(found.id)) throw tooManySnapshotsError(kind, maxSnapshots);
    const snapshot = toCompactSnapshot(found);
    const resource = kind.uniqueNames ? undefined : found.resource;
    list.byId.set(found.id, snapshot);
    const ofResource = list.byResource.get(resource) ?? new Map<string, FoundSnapshot>();
    ofResource.set(found.id, snapshot);
    list.byResource.set(resource, ofResource);
  };

  const count = (kind: Kind, list: KindList, { resource }: Pick<FoundSnapshot, "resource">) => {
    list.rows += 1;
    if (kind.maxPerResource !== undefined) list.counts.set(resource, (list.counts.get(resource) ?? 0) + 1);
  };

  const readWhole = async (kind: Kind, list: KindList) => {
    const first: FoundSnapshot[] = [];
    const whole: KindList = { ...list, rows: 0, byId: new Map(), byResource: new Map(), counts: new Map() };
    await cloud(kind).listAll((found) => {
      count(kind, whole, found);
      add(kind, whole, found);
      if (first.length < REMEMBERED_ROWS) first.push(found);
    });
    const { rows, byId, byResource, counts } = whole;
    const remembered = new Set(first.map(({ id }) => id));
    const canReadNewest = cloud(kind).listNewest !== undefined && !list.isUnsorted && isNewestFirst(first);
    Object.assign(list, { rows, byId, byResource, counts, remembered });
    list.mode = canReadNewest ? "newest" : modeWithoutOrder(kind, rows);
  };

  const readNewest = async (kind: Kind, list: KindList) => {
    const added: Pick<FoundSnapshot, "id" | "resource">[] = [];
    await cloud(kind).listNewest?.((found) => {
      const { id, resource } = found;
      // The newest rows contain no members of snapshot groups, so the known state of a group is more exact.
      if (list.byId.get(id)?.members === undefined || !isLive(found)) add(kind, list, found);
      if (list.remembered.has(id)) return true;
      added.push({ id, resource });
      return false;
    });
    // If a later page fails, a retry must not stop at the rows of an earlier page.
    for (const found of added) {
      count(kind, list, found);
      list.remembered.add(found.id);
    }
  };

  /** Returns whether a snapshot that list responses must contain by now was missing in the list request sent at `sentAt`. */
  const isIncomplete = ({ unlisted }: KindList, sentAt: Instant) =>
    [...unlisted.values()].some((createdAt) => sentAt - createdAt > LISTED_AFTER_MS);

  const read = async (kind: Kind, list: KindList): Promise<void> => {
    const attempt = async () => {
      const sentAt = time.now();
      try {
        await (list.mode === "newest" ? readNewest(kind, list) : readWhole(kind, list));
      } catch (thrown) {
        if (asSnapshotError(thrown).reason === "Throttled")
          list.maxAgeMs = Math.min(MAX_THROTTLED_AGE_MS, list.maxAgeMs * 2);
        throw thrown;
      }
      return sentAt;
    };
    const wasNewest = list.mode === "newest";
    try {
      list.sentAt = await retryRead(attempt, retryBudget);
      list.failure = undefined;
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.reason !== "BadResponse" || kind.uniqueNames) {
        list.failure = { at: time.now(), error };
        throw error;
      }
      // The list is incomplete or contains an unreadable row of another resource.
      list.mode = "each";
      return;
    }
    list.durationMs = time.now() - list.sentAt;
    list.maxAgeMs = Math.max(MAX_AGE_MS, list.maxAgeMs / 2);
    if (!isIncomplete(list, list.sentAt)) return;
    list.isUnsorted = true;
    list.mode = wasNewest || kind.uniqueNames ? modeWithoutOrder(kind, list.rows) : "each";
    if (wasNewest && list.mode === "whole") await read(kind, list);
  };

  const isFresh = ({ mode, sentAt, durationMs, maxAgeMs }: KindList) =>
    mode === "each" || (sentAt !== undefined && time.now() - sentAt <= maxAgeMs + durationMs);

  const readOnce = (kind: Kind, list: KindList) => {
    list.reading ??= read(kind, list).finally(() => {
      list.reading = undefined;
    });
    return list.reading;
  };
  const freshList = async (kind: Kind) => {
    const list = listOf(kind);
    // A list request in progress may show a snapshot that the last list response does not contain.
    while (!isFresh(list) || list.reading !== undefined) {
      const { failure } = list;
      if (failure !== undefined && time.now() - failure.at < FAILURE_MS) throw failure.error;
      await readOnce(kind, list);
    }
    return list;
  };

  const refreshKind = async (kind: Kind) => {
    const list = listOf(kind);
    // A list request in progress was sent too early.
    if (list.mode !== "each") await list.reading?.catch(() => {});
    if (list.mode !== "each") await readOnce(kind, list);
  };
  const listResource = async ({ kind, options }: Target) => {
    const found = await retryRead(() => cloud(kind).listFor(options), retryBudget);
    for (const snapshot of found) add(kind, listOf(kind), snapshot);
    return found;
  };
  const find = async (target: Target) => {
    const { kind, resource } = target;
    const { mode, byResource } = await freshList(kind);
    if (mode === "each") return listResource(target);
    const ofResource = kind.uniqueNames ? undefined : byResource.get(resource);
    // A snapshot without a resource id may belong to any resource.
    return [...(ofResource?.values() ?? []), ...(byResource.get(undefined)?.values() ?? [])];
  };

  return {
    find,
    async findAgain(target) {
      const { kind } = target;
      // DWS lists the snapshots of all resources in one response, so all targets can use it.
      if (kind.uniqueNames) await refreshKind(kind);
      else {
        const found = await listResource(target);
        if (found.some((snapshot) => snapshot.marker?.idempotencyKey === run.idempotencyKey && isLive(snapshot)))
          return found;
        if (listOf(kind).mode === "each") return found;
      }
      return find(target);
    },
    async count(kind, resource) {
      const { mode, counts } = await freshList(kind);
      return mode === "each" ? undefined : (counts.get(resource) ?? 0);
    },
    async refresh(targets, some) {
      for (const kind of new Set(targets.map((target) => target.kind))) await refreshKind(kind);
      for (const target of some) if (listOf(target.kind).mode === "each") await listResource(target);
    },
    listed: (targets) =>
      targets.flatMap((target) => {
        const { kind, resource, options } = target;
        const { byId, byResource } = listOf(kind);
        const ofResource = kind.uniqueNames
          ? [...byId.values()].filter((found) => found.resource === resource)
          : [...(byResource.get(resource)?.values() ?? [])];
        const withoutResource = [...(byResource.get(undefined)?.values() ?? [])].filter(
          (found) => found.resource === undefined && found.marker?.requestHash === hashRequest(kind.name, options),
        );
        return [...ofResource, ...withoutResource].filter(
          ({ marker }) => marker?.idempotencyKey === run.idempotencyKey,
        );
      }),
    addCreated(kind, id) {
      own.add(id);
      const list = listOf(kind);
      if (!list.byId.has(id)) list.unlisted.set(id, time.now());
    },
    isOwn: (id) => own.has(id),
  };
}

import { asSnapshotError, REASONS, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { LISTED_AFTER_MS, type RetryBudget, raceDeadline, retryRead } from "../../core/retry.ts";
import { type FoundSnapshot, isLive, type Kind } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { SnapshotService } from "../ports.ts";
import type { Run } from "../run-context.ts";
import { FRESH_MS } from "./fresh-look.ts";
import { createRunRows, type RunRows } from "./run-rows.ts";

/** The maximum time for which a list response is fresh, in milliseconds: after throttled list requests, or with many processes. */
const MAX_FRESH_MS = 8_000;
/** With at most this number of processes, each process of a run refreshes a list every `FRESH_MS`. With more, less often. */
const PROCESSES_PER_FRESH_MS = 5;
/** How long all targets fail with the error of a failed list request, in milliseconds, before it is sent again. */
const FAILURE_MS = 10_000;
/** The number of rows at the start of a list that are remembered. A refresh stops when it meets one of these rows. */
const REMEMBERED_ROWS = 1_000;
/** The maximum number of rows of a whole list that is read for every refresh. */
const MAX_REREAD_ROWS = 2_000;
/** The number of rows in a refresh. The order of a whole list is checked for as many rows. */
const NEWEST_ROWS = 200;

/** The part of the index of existing snapshots for one kind; see `SnapshotIndex`, which describes the functions. */
export interface KindList {
  find(target: Target): Promise<FoundSnapshot[]>;
  findAgain(target: Target): Promise<FoundSnapshot[]>;
  isListed(): Promise<boolean>;
  refresh(some: readonly Target[]): Promise<void>;
  listed(target: Target): FoundSnapshot[];
  addCreated(id: string): void;
}

/** Creates the list of a kind whose snapshots have not been listed. */
export function createKindList(
  run: Run,
  kind: Kind,
  service: SnapshotService,
  retryBudget: RetryBudget,
  maxSnapshots: number,
): KindList {
  const { time } = retryBudget;
  /**
   * How a refresh reads the snapshots. `newest`: the newest rows only. `whole`: all rows. `each`: the snapshots of one resource,
   * when a caller asks for that resource.
   */
  let mode: "newest" | "whole" | "each" = "whole";
  let rows: RunRows = createRunRows(run, kind, maxSnapshots);
  let rowCount = 0;
  /** The ids of rows that earlier list responses contained. */
  let remembered = new Set<string>();
  /** True if the newest rows did not show a new snapshot in time. All further refreshes then read more than the newest rows. */
  let isUnsorted = false;
  /** The snapshots that this process created and no list response has shown yet, with the time of the create response. */
  const unlisted = new Map<string, Instant>();
  /** With more processes, each one refreshes less often, so their list requests do not use up the rate limit. */
  const minFreshMs = () =>
    Math.min(MAX_FRESH_MS, FRESH_MS * Math.max(1, (run.processes ?? 1) / PROCESSES_PER_FRESH_MS));
  let throttledMs = 0;
  let freshUntil = 0;
  let failure: { until: number; error: SnapshotError } | undefined;
  let reading: Promise<void> | undefined;

  const add = (to: RunRows, found: FoundSnapshot) => {
    unlisted.delete(found.id);
    to.add(found);
  };
  /** Returns how to refresh a list whose newest rows are not at its start. */
  const modeWithoutOrder = () => (kind.uniqueNames || rowCount <= MAX_REREAD_ROWS ? "whole" : "each");

  const readWhole = async () => {
    const first: FoundSnapshot[] = [];
    const listed = createRunRows(run, kind, maxSnapshots);
    rowCount = 0;
    await service.listAll((found) => {
      rowCount += 1;
      add(listed, found);
      if (first.length < REMEMBERED_ROWS) first.push(found);
    });
    rows = listed;
    remembered = new Set(first.map(({ id }) => id));
    const canReadNewest = service.listNewest !== undefined && !isUnsorted && isNewestFirst(first);
    mode = canReadNewest ? "newest" : modeWithoutOrder();
  };

  const readNewest = async () => {
    const added: string[] = [];
    const isComplete = await service.listNewest?.((found) => {
      const { id } = found;
      // The newest rows contain no members of snapshot groups, so the known state of a group is more exact.
      if (rows.get(id)?.members === undefined || !isLive(found)) add(rows, found);
      if (remembered.has(id)) return true;
      added.push(id);
      return false;
    });
    // If a later page fails, a retry must not stop at the rows of an earlier page.
    for (const id of added) {
      rowCount += 1;
      remembered.add(id);
    }
    // If the response contains no remembered row, rows between the two responses are missing, unless the list was empty before.
    if (!isComplete && remembered.size > added.length) await readWhole();
  };

  const read = async (): Promise<void> => {
    const wasNewest = mode === "newest";
    let sentAt = 0;
    const attempt = async () => {
      sentAt = time.now();
      await (wasNewest ? readNewest() : readWhole()).catch((thrown) => {
        if (asSnapshotError(thrown).reason === "Throttled")
          throttledMs = Math.min(MAX_FRESH_MS, 2 * Math.max(throttledMs, minFreshMs()));
        throw thrown;
      });
    };
    try {
      await retryRead(attempt, retryBudget);
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.reason !== "BadResponse" || kind.uniqueNames) {
        failure = { until: time.now() + FAILURE_MS, error };
        throw error;
      }
      // The list is incomplete or contains an unreadable row of another resource.
      mode = "each";
      return;
    }
    failure = undefined;
    throttledMs /= 2;
    freshUntil = time.now() + Math.max(throttledMs, minFreshMs());
    // A list response must show a snapshot by now, if it was created more than 6 s before the list request.
    if (![...unlisted.values()].some((createdAt) => sentAt - createdAt > LISTED_AFTER_MS)) return;
    isUnsorted = true;
    mode = wasNewest || kind.uniqueNames ? modeWithoutOrder() : "each";
    if (wasNewest && mode === "whole") await read();
  };

  const readOnce = () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  /** Waits for a fresh list response. */
  const freshen = async () => {
    // A list request in progress may show a snapshot that the last list response does not contain.
    while (reading !== undefined || (mode !== "each" && time.now() > freshUntil)) {
      if (failure !== undefined && time.now() < failure.until) {
        const { error, until } = failure;
        // A service that is down or throttles can recover before the time is over.
        if (REASONS[error.reason].retryClass === "never" || until >= retryBudget.deadline) throw error;
        await time.sleep(until - time.now());
        continue;
      }
      await raceDeadline(readOnce(), time, retryBudget.deadline, outOfTimeError).catch((thrown) => {
        if (thrown !== failure?.error) throw thrown;
      });
    }
  };
  const refresh = async () => {
    // A list request in progress was sent too early.
    if (mode !== "each") await reading?.catch(() => {});
    if (mode !== "each") await readOnce();
  };
  const listResource = async ({ options }: Target) => {
    const found = await retryRead(() => service.listFor(options), retryBudget);
    for (const snapshot of found) add(rows, snapshot);
    return found;
  };
  const find = async (target: Target) => {
    await freshen();
    return mode === "each" ? listResource(target) : rows.find(target);
  };

  return {
    find,
    async findAgain(target) {
      // DWS lists the snapshots of all resources in one response, so all targets can use it.
      if (kind.uniqueNames) await refresh();
      else {
        const found = await listResource(target);
        if (mode === "each" || rows.ofRun(target).some(isLive)) return found;
      }
      return find(target);
    },
    async isListed() {
      await freshen();
      return mode !== "each";
    },
    async refresh(some) {
      await refresh();
      if (mode === "each") for (const target of some) await listResource(target);
    },
    listed: (target) => rows.ofRun(target),
    addCreated(id) {
      if (rows.get(id) === undefined) unlisted.set(id, time.now());
    },
  };
}

const outOfTimeError = () =>
  new SnapshotError("DeadlineExceeded", "The snapshots were not listed in time.", { requestSent: false });

/** Returns whether the first rows of a list are sorted by creation time, newest first. Ignores rows without a creation time. */
function isNewestFirst(rows: readonly FoundSnapshot[]): boolean {
  const times = rows.slice(0, NEWEST_ROWS).flatMap(({ created }) => created ?? []);
  return times.every((created, index) => index === 0 || created <= (times[index - 1] as Instant));
}

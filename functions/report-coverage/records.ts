/** Writes the records of a report. */
import { SnapshotError } from "../../shared/core/errors.ts";
import { joinFirst } from "../../shared/core/preview.ts";
import { createPause } from "../../shared/core/retry.ts";
import { COVERAGE_STATES, type Coverage, type CoverageState, type Orphan } from "../../shared/coverage/coverage.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import type { Records } from "../../shared/results/records.ts";
import type { CoverageQuery } from "./query.ts";

/** The states that need nobody's attention, so their resources have no record. */
const QUIET_STATES: readonly CoverageState[] = ["protected", "excluded"];

/**
 * Adds notices to the record of the run: how many resources are not protected, which lists could not be read, and which rows. With a
 * notice, the record has the level `warn`.
 */
export function addRunNotices(
  { counts, faults, notices, complete, resources }: Coverage,
  query: CoverageQuery,
  records: Records,
) {
  for (const notice of [...faults, ...notices]) records.addNotice(notice);
  const bad = COVERAGE_STATES.filter((state) => !QUIET_STATES.includes(state) && counts[state] > 0);
  const total = bad.reduce((sum, state) => sum + counts[state], 0);
  if (total > 0) {
    const parts = bad.map((state) => `${counts[state]} ${state}`).join(", ");
    records.addNotice(`${total} of ${resources.length} disks and clusters are not known to be protected: ${parts}.`);
  }
  if (complete && resources.length === 0 && query.tags.length > 0) {
    // The alarm on failures searches for the words "selected nothing", so no full stop may follow them.
    records.addNotice("tags: selected nothing, because no disk or cluster has all of these tags.");
  }
}

/**
 * Writes a record for each resource in one of the given states, unless it is protected or excluded. Writes a record for each
 * deleted resource that still has snapshots, and a failed record for each list that could not be read.
 */
export async function writeCoverageRecords(
  { resources, orphans, counts, faults, errors }: Coverage,
  states: readonly CoverageState[],
  { records, retryBudget }: Invocation,
): Promise<void> {
  const pause = createPause(retryBudget.time);
  for (const [index, detail] of faults.entries()) {
    const cause = errors[index];
    const error = new SnapshotError(cause?.reason ?? "CloudError", detail, cause);
    records.openRecord({ action: "coverage" })({ outcome: "failed", error });
  }
  for (const { id, name, state, reason } of resources) {
    if (QUIET_STATES.includes(state) || !states.includes(state)) continue;
    await pause();
    records.openRecord({ action: "coverage", resource_id: id, name })({ outcome: state, detail: reason });
  }
  const byResource = new Map<string, Orphan[]>();
  for (const orphan of orphans) {
    byResource.set(orphan.resourceId, [...(byResource.get(orphan.resourceId) ?? []), orphan]);
  }
  for (const [resource_id, snapshots] of byResource) {
    records.openRecord({ action: "coverage", resource_id })({ outcome: "orphaned", detail: orphanDetail(snapshots) });
  }
  if (counts.orphaned > orphans.length) {
    records.addNotice(
      `${counts.orphaned} snapshots belong to disks and clusters that the lists do not contain. Only the ${orphans.length} oldest have records.`,
    );
  }
}

function orphanDetail(snapshots: readonly Orphan[]): string {
  const [first] = snapshots;
  const ids = joinFirst(snapshots.map(({ kind, id }) => `${kind} ${id}`));
  const what =
    snapshots.length === 1 ? `its ${first?.kind} still exists` : `${snapshots.length} of its snapshots still exist`;
  return `The lists of disks and clusters do not contain the resource, but ${what}: ${ids}. Delete what you do not need.`;
}

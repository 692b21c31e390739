import type { SnapshotView } from "../cloud/index.ts";
import type { ResultRecord } from "../site/records.ts";

/** The sign for each decision of prune-snapshots about a snapshot. */
const SIGNS = { kept: "#", held: "H", deleted: ".", failed: "x", duplicate: "D" };
const LEGEND = "One sign per snapshot: # kept, H held; deleted: . old, x failed, D duplicate";

/**
 * Draws one line for each disk: a sign for each snapshot from the oldest to the newest, which shows what prune-snapshots did with it. The
 * first line explains the signs.
 *
 * @param recordOf the result records of prune-snapshots by snapshot id
 */
export function drawRetention(
  disks: readonly { name: string; snapshots: readonly SnapshotView[] }[],
  recordOf: ReadonlyMap<string, ResultRecord>,
): string[] {
  const drawn = disks
    .map(({ name, snapshots }) => ({ name, decisions: snapshots.map(({ id }) => decisionIn(recordOf.get(id))) }))
    .filter(({ decisions }) => decisions.length > 0);
  if (drawn.length === 0) return [];
  const width = Math.max(...drawn.map(({ name }) => name.length));
  const rows = drawn.map(({ name, decisions }) => {
    const signs = decisions.map((decision) => (decision === undefined ? "?" : SIGNS[decision]));
    return `${name.padEnd(width)} ${signs.join("")}`;
  });
  const isIncomplete = rows.some((row) => row.includes("?"));
  return [isIncomplete ? `${LEGEND}, ? not known` : LEGEND, ...rows];
}

function decisionIn(record: ResultRecord | undefined): keyof typeof SIGNS | undefined {
  const { outcome, rule = "" } = record ?? {};
  if (outcome === "kept" || outcome === "held") return outcome;
  if (outcome !== "deleted") return undefined;
  if (rule.startsWith("twin of ")) return "duplicate";
  return rule.startsWith("failed") ? "failed" : "deleted";
}

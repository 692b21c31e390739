import type { EmbeddedCloud } from "../cloud/index.ts";

const HOUR_MS = 3_600_000;

/** The labels of a snapshot that the policy `nightly` created. */
const LABELS = { "managed-by": "snapshot-functions", policy: "nightly", key: "0".repeat(32), content: "01234567" };

/**
 * Adds a disk in each state of a coverage report, and the snapshots of a deleted disk. Snapshots of the last 30 days fill the
 * timelines of the report.
 */
export function addCoverageEstate(cloud: EmbeddedCloud): void {
  const add = (name: string, ages: readonly number[], status: (age: number) => string = () => "available"): string => {
    const { id } = cloud.addVolume({ name, size: 100, tags: { estate: "coverage" } });
    for (const age of ages) {
      const createdAt = cloud.clock.now() - age * HOUR_MS;
      cloud.addSnapshot({ kind: "standard-snapshot", volumeId: id, createdAt, status: status(age), tags: LABELS });
    }
    return id;
  };
  const nightly = (first: number) => Array.from({ length: 30 - Math.floor(first / 24) }, (_, day) => first + day * 24);
  add("orders-data", nightly(5));
  add("billing-data", nightly(101));
  add("search-data", nightly(5), (age) => (age < 72 ? "error" : "available"));
  add("login-data", [3], () => "error");
  add("upload-data", []);
  add("import-data", nightly(29), (age) => (age === 29 ? "migrating" : "available"));
  const scratch = cloud.addVolume({ name: "scratch", tags: { estate: "coverage", coverage: "none" } });
  cloud.addSnapshot({
    kind: "snapshot",
    volumeId: scratch.id,
    name: "by hand",
    createdAt: cloud.clock.now() - HOUR_MS,
  });
  cloud.removeVolume(add("deleted-data", [200, 400]));
}

/** The query of a report in which the estate shows every state. */
export const COVERAGE_QUERY = "exclude_tags=coverage%3Dnone";

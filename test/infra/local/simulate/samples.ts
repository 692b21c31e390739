/** The sample policies in test/policies, and how often the tests create and prune snapshots by them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SimulatedPolicy } from "../../../../infra/local/simulate/kinds.ts";
import { type Capacity, DEFAULT_PRUNE_EVERY } from "../../../../infra/local/simulate/simulate.ts";

export const SAMPLE_FOLDER = join(import.meta.dirname, "../../../policies");

interface Sample {
  file: string;
  policy: SimulatedPolicy;
  everyHours: number;
  pruneEvery: string;
  /** How many days the comparison with the functions takes. */
  agreementDays: number;
  /** The limit of a resource by the public documents (SOURCES.md). Absent if it has none. */
  capacity?: Capacity;
  exitCode: number;
  /** The first line of `npm run simulate` over 400 days. */
  verdict: string;
}

type Options = Partial<Omit<Sample, "file" | "policy" | "verdict">>;

const sample = (file: string, verdict: string, options: Options = {}): Sample => ({
  file,
  policy: JSON.parse(readFileSync(join(SAMPLE_FOLDER, file), "utf8")),
  everyHours: 24,
  pruneEvery: DEFAULT_PRUNE_EVERY,
  agreementDays: 16,
  exitCode: 0,
  verdict,
  ...options,
});

const limit = (max: number, makesRoom = false) => ({ capacity: { max, makesRoom } });

export const SAMPLES: Sample[] = [
  sample("nightly-disks.json", "Fits: nightly-disks (standard-snapshot: peak 22, limit 256)", limit(256)),
  sample("nightly-disks-v2.json", "Fits: nightly-disks-v2 (snapshot: peak 7, limit 7)", limit(7)),
  sample(
    "hourly-databases-instant.json",
    "Fits: hourly-databases (standard-snapshot with instant access: peak 6, limit 7)",
    { ...limit(7), everyHours: 1, pruneEvery: "2h", agreementDays: 4 },
  ),
  sample("nightly-servers.json", "Fits: nightly-servers (snapshot-group: peak 20, limit 256)", limit(256)),
  sample("cluster-weekly.json", "Fits: cluster-weekly (cluster-snapshot: peak 9, no limit)", {
    everyHours: 168,
    agreementDays: 70,
  }),
  sample(
    "grandfather-father-son.json",
    "Fits: grandfather-father-son (standard-snapshot: peak 24, limit 256)",
    limit(256),
  ),
  sample("keep-a-year-standard.json", "Fits: keep-a-year (standard-snapshot: peak 79, limit 256)", limit(256)),
  sample("make-room.json", "Fits: make-room (snapshot: peak 7, limit 7 with make_room)", {
    ...limit(7, true),
    everyHours: 4,
    agreementDays: 5,
  }),
  sample("does-not-fit.json", "Does not fit: does-not-fit (snapshot: peak 11, limit 7)", { ...limit(7), exitCode: 1 }),
  sample(
    "pre-deploy.json",
    "No limit checked: pre-deploy (peak 30; without targets, the kind of its snapshots is unknown)",
    { everyHours: 12 },
  ),
];

/** The names of all files in test/policies that contain a policy. */
export const SAMPLE_FILES: string[] = readdirSync(SAMPLE_FOLDER).filter((name) => name.endsWith(".json"));

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
  /** The first sentence of `npm run simulate` over 400 days. */
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
  sample(
    "nightly-disks.json",
    "Fits: the policy nightly-disks needs 22 snapshots of the kind standard-snapshot, and the limit is 256.",
    limit(256),
  ),
  sample(
    "nightly-disks-v2.json",
    "Fits: the policy nightly-disks-v2 needs 7 snapshots of the kind snapshot, and the limit is 7.",
    limit(7),
  ),
  sample(
    "hourly-databases-instant.json",
    "Fits: the policy hourly-databases needs 6 snapshots of the kind standard-snapshot with instant access, and the limit is 7.",
    { ...limit(7), everyHours: 1, pruneEvery: "2h", agreementDays: 4 },
  ),
  sample(
    "nightly-servers.json",
    "Fits: the policy nightly-servers needs 20 snapshots of the kind snapshot-group, and the limit is 256.",
    limit(256),
  ),
  sample(
    "cluster-weekly.json",
    "Fits: the policy cluster-weekly needs 9 snapshots of the kind cluster-snapshot, which has no limit.",
    {
      everyHours: 168,
      agreementDays: 70,
    },
  ),
  sample(
    "grandfather-father-son.json",
    "Fits: the policy grandfather-father-son needs 24 snapshots of the kind standard-snapshot, and the limit is 256.",
    limit(256),
  ),
  sample(
    "keep-a-year-standard.json",
    "Fits: the policy keep-a-year needs 79 snapshots of the kind standard-snapshot, and the limit is 256.",
    limit(256),
  ),
  sample(
    "make-room.json",
    "Fits: the policy make-room needs 7 snapshots of the kind snapshot with make_room, and the limit is 7.",
    {
      ...limit(7, true),
      everyHours: 4,
      agreementDays: 5,
    },
  ),
  sample(
    "too-many-v2.json",
    "Does not fit: the policy too-many-v2 needs 11 snapshots of the kind snapshot, and the limit is 7.",
    { ...limit(7), exitCode: 1 },
  ),
  sample(
    "pre-deploy.json",
    "No limit checked: the policy pre-deploy needs 30 snapshots of an unknown kind (it has no targets).",
    { everyHours: 12 },
  ),
];

/** The names of all files in test/policies that contain a policy. */
export const SAMPLE_FILES: string[] = readdirSync(SAMPLE_FOLDER).filter((name) => name.endsWith(".json"));

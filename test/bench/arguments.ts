/** Reads the arguments of `npm run bench`. */
import { BadUsage, readArguments } from "../../infra/local/terminal/arguments.ts";

export const USAGE = `npm run bench [-- --slow | -- --peer [--disks 1000]] [--json <file>]

Measures the size, start time, speed and memory of the functions, and of the plain SDK, plain middy and bare Node.js for
comparison. Prints which figures exceed their maximum, a table of these figures, and tables of all measured values. It takes
about 10 minutes. Exits with 1 if a bundle size, a memory value or a large run of scheduled-snapshots, prune-snapshots or
report-coverage exceeds its maximum, or if a large run creates a wrong result. A start time or a CPU time above its maximum does not change the exit code, because it depends on the
machine. The environment variable BENCH_PROCESSES sets how many processes start per bundle (default 21).

  --slow   only runs scheduled-snapshots for 10,000 disks, with CPU work that takes five times as long
  --peer   only compares scheduled-snapshots with Cloud Custodian for Huawei Cloud, in about 10 minutes: a first run, a
           second run, a lost response and a disk that is always throttled. It needs Python 3.11 or later, and installs
           Custodian in node_modules/.cache/custodian. Exits with 1 if scheduled-snapshots creates a duplicate, misses
           a disk without a message or lacks a record.
  --disks  the number of disks for --peer (default 1000)
  --json   the file to which the results are written as JSON`;

const OPTIONS = {
  slow: { type: "boolean" },
  peer: { type: "boolean" },
  disks: { type: "string" },
  json: { type: "string" },
  help: { type: "boolean" },
} as const;

const DEFAULT_DISKS = "1000";

export interface BenchArguments {
  mode: "full" | "slow" | "peer" | "help";
  /** The number of disks for the mode `peer`. */
  disks: number;
  json: string | undefined;
}

/** @throws BadUsage if an argument is unknown or wrong, or if two arguments exclude each other */
export function readBenchArguments(argv: readonly string[]): BenchArguments {
  const { values } = readArguments({ args: [...argv], options: OPTIONS });
  const { slow = false, peer = false, json } = values;
  if (slow && peer) throw new BadUsage("expected --slow or --peer, got both");
  if (values.disks !== undefined && !peer) throw new BadUsage("--disks needs --peer");
  const text = values.disks ?? DEFAULT_DISKS;
  const disks = Number(text);
  if (!Number.isInteger(disks) || disks < 2 || disks > 10_000)
    throw new BadUsage(`--disks: expected an integer from 2 to 10000, got ${text}`);
  if (values.help) return { mode: "help", disks, json };
  return { mode: slow ? "slow" : peer ? "peer" : "full", disks, json };
}

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { policy as schema } from "../../../functions/prune-snapshots/schema.generated.js";
import { isObject } from "../../../shared/core/json.ts";
import { countOnlyWarning } from "../../../shared/snapshots/caller-policies.ts";
import { checkPolicy } from "../../../shared/snapshots/check-policy.ts";
import type { Policy } from "../../../shared/snapshots/policy.ts";
import { toRetentionOptions } from "../../../shared/snapshots/retention/prune.ts";
import { validate } from "../../../shared/validation/validate.ts";
import { BadUsage, readArguments } from "../terminal/arguments.ts";
import { drawCalendar } from "./calendar.ts";
import { describeExceededLimits, describePeak, formatDays, formatRetained } from "./report.ts";
import { DEFAULT_PRUNE_EVERY, readPruneEvery, type SimulationPlan, simulate } from "./simulate.ts";

const USAGE = `npm run simulate -- <policy.json> [--days 400] [--from 2026-11-21] [--every 24]
                [--prune-every "0 40 3 * * *"] [--out <file>]

Simulates a policy for one resource, without any cloud: creates a snapshot at a fixed interval, deletes snapshots at each
prune run by the retention in the policy, and prints the snapshots that exist at the end of each day. Without a
retention, only duplicates are deleted, so every snapshot is retained. Assumes that every snapshot succeeds. The file
contains a policy, or a timer event with a policy. Exits with 1 if a create would fail with QuotaExceeded.

  --days         how many days to simulate (default: 400)
  --from         the first day (default: today); the first snapshot is created at 02:00 UTC on this day
  --every        the number of hours between two snapshots (default: 24)
  --prune-every  when prune-snapshots runs: the prune_schedule of the policy in Terraform, or a duration such as 12h or 2d
                 (default: ${DEFAULT_PRUNE_EVERY}, as Terraform starts it without a prune_schedule)
  --out          writes an SVG picture to this file, with a row for each rule, and a mark for each day whose snapshot
                 still exists on the last day (--svg is the same option)`;

/** Resolves a path from the folder in which the user called npm (INIT_CWD), because npm runs scripts in the package folder. */
const resolveFromCaller = (path: string) => resolve(process.env.INIT_CWD ?? "", path);

const OPTIONS = {
  days: { type: "string", default: "400" },
  from: { type: "string" },
  every: { type: "string", default: "24" },
  "prune-every": { type: "string", default: DEFAULT_PRUNE_EVERY },
  svg: { type: "string" },
  out: { type: "string" },
  help: { type: "boolean" },
} as const;

function readPlan({
  days,
  from = new Date().toISOString().slice(0, 10),
  every,
  "prune-every": pruneEvery,
}: Record<"days" | "every" | "prune-every", string> & { from?: string }): SimulationPlan {
  const start = Date.parse(`${from}T02:00:00Z`);
  // Compare the formatted date too, because `Date.parse` converts February 30 to a day in March.
  const isValidDay = !Number.isNaN(start) && new Date(start).toISOString().slice(0, 10) === from;
  if (!isValidDay) throw new BadUsage(`--from: expected a date such as 2026-11-21, got ${from}`);
  return {
    from: start,
    days: readInteger("--days", days, 20_000),
    everyHours: readInteger("--every", every, 24 * 366),
    pruneEvery,
  };
}

function readInteger(option: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new BadUsage(`${option}: expected an integer from 1 to ${max}, got ${text}`);
}

function readPolicy(path: string): Omit<Policy, "targets"> & { targets?: Policy["targets"] } {
  const file = [path, resolveFromCaller(path)].find((candidate) => existsSync(candidate));
  if (file === undefined) throw new BadUsage(`expected a policy file, but ${path} does not exist`);
  let policy = parsePolicyJson(readFileSync(file, "utf8"), `expected JSON in ${path}`);
  if (isObject(policy) && "user_event" in policy) {
    const { user_event } = policy;
    policy =
      typeof user_event === "string" ? parsePolicyJson(user_event, `user_event: expected JSON in ${path}`) : user_event;
  }
  const invalidPolicy = (reason: string) => new BadUsage(`${path} is not a valid policy\n${reason}`);
  const faults = validate(schema, policy);
  if (faults.length > 0) throw invalidPolicy(faults.join("\n"));
  const checked = policy as Policy;
  try {
    checkPolicy(checked);
    if (checked.retention !== undefined) toRetentionOptions(checked);
  } catch (error) {
    throw invalidPolicy((error as Error).message);
  }
  return checked;
}

/** The id that replaces every placeholder, such as `{{volume_id}}`. The simulation does not depend on real resources. */
const PLACEHOLDER_ID = "00000000-0000-4000-8000-000000000000";

/** Parses the JSON of a policy file. Removes a byte order mark and replaces each placeholder by `PLACEHOLDER_ID` first. */
function parsePolicyJson(text: string, expected: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, "").replace(/\{\{\w+\}\}/g, PLACEHOLDER_ID));
  } catch (error) {
    throw new BadUsage(`${expected}: ${(error as Error).message}`);
  }
}

/**
 * Runs the command `npm run simulate`, which prints the snapshots that a policy retains on each day.
 *
 * @returns a message for each snapshot limit that the policy exceeds, or an empty array
 * @throws BadUsage if the arguments or the policy are wrong; in this case, the function has printed nothing and written no file
 */
export function runSimulate(argv: readonly string[], print: (text: string) => void): string[] {
  const { values, positionals } = readArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  if (values.help) {
    print(USAGE);
    return [];
  }
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw new BadUsage(`expected one policy file, got ${positionals.join(" ") || "no arguments"}`);
  }
  const { out, svg } = values;
  if (svg !== undefined && out !== undefined) throw new BadUsage("expected --svg or --out, got both");
  const picturePath = out ?? svg;
  const plan = readPlan(values);
  const policy = readPolicy(path);
  if (readPruneEvery(plan, policy.time_zone) === undefined) {
    throw new BadUsage(
      `--prune-every: expected a cron expression with six fields such as "0 30 4 * * *", or a duration such as 12h or 2d, got ${plan.pruneEvery}`,
    );
  }
  const days = simulate({ ...policy, hold: [] }, plan);
  try {
    if (picturePath !== undefined) writeFileSync(resolveFromCaller(picturePath), drawCalendar(policy.policy, days));
  } catch (error) {
    const option = out === undefined ? "--svg" : "--out";
    throw new BadUsage(`${option}: the picture could not be written: ${(error as Error).message}`);
  }
  const last = days.at(-1)?.day;
  print(formatDays(days).join("\n"));
  print(`\nRetained on ${last} (${policy.policy}, ${policy.time_zone ?? "UTC"})\n`);
  print(formatRetained(days).join("\n"));
  if (policy.retention === undefined)
    print("\nThe policy has no retention, so prune-snapshots deletes only duplicates.");
  const warning = countOnlyWarning(policy);
  if (warning !== undefined) print(`\nWarning: ${warning}`);
  const exceeded = describeExceededLimits(days, policy.targets ?? []);
  print(`\n${[describePeak(days), ...exceeded].join("\n")}`);
  if (picturePath !== undefined) print(`Picture: ${resolveFromCaller(picturePath)}`);
  return exceeded.map((reason) => `The policy ${policy.policy} exceeds a limit: ${reason}`);
}

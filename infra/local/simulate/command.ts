import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { policy as schema } from "../../../functions/prune-snapshots/schema.generated.js";
import { isObject } from "../../../shared/core/json.ts";
import { checkPolicy } from "../../../shared/snapshots/check-policy.ts";
import type { Policy } from "../../../shared/snapshots/policy.ts";
import { retentionOf } from "../../../shared/snapshots/retention/prune.ts";
import { validate } from "../../../shared/validation/validate.ts";
import { BadUsage, readArguments } from "../terminal/arguments.ts";
import { calendar } from "./calendar.ts";
import { daysTable, exceededLimits, peak, retainedTable } from "./report.ts";
import { type Plan, simulate } from "./simulate.ts";

const USAGE = `npm run simulate -- <policy.json> [--days 400] [--from 2026-11-21] [--every 24] [--out <file>]

Simulates the snapshots of one resource: creates a snapshot at a fixed interval, prunes after each snapshot by the policy's
retention, and prints the snapshots that are retained on each day. It assumes that every snapshot succeeds, and calls no
cloud. The file contains a policy or a timer event with a policy. Exits with 1 if the policy would end in QuotaExceeded.

  --days    the number of days (default: 400)
  --from    the first day (default: today); the first snapshot is created at 02:00 UTC
  --every   the hours between two snapshots (default: 24)
  --out     writes an SVG picture into this file: a row for each rule, a mark for each day whose snapshot is retained
            on the last day (--svg is the same option)`;

/** Resolves a path. npm runs scripts in the folder of the package. INIT_CWD is the folder in which the user called npm. */
const fromCaller = (path: string) => resolve(process.env.INIT_CWD ?? "", path);

const OPTIONS = {
  days: { type: "string", default: "400" },
  from: { type: "string" },
  every: { type: "string", default: "24" },
  svg: { type: "string" },
  out: { type: "string" },
  help: { type: "boolean" },
} as const;

function readPlan({
  days,
  from = new Date().toISOString().slice(0, 10),
  every,
}: Record<"days" | "every", string> & { from?: string }): Plan {
  const start = Date.parse(`${from}T02:00:00Z`);
  // `Date.parse` accepts the 30th of February as a day of March.
  const isDay = !Number.isNaN(start) && new Date(start).toISOString().slice(0, 10) === from;
  if (!isDay) throw new BadUsage(`--from: expected a day such as 2026-11-21, got ${from}`);
  return { from: start, days: integer("--days", days, 20_000), everyHours: integer("--every", every, 24 * 366) };
}

function integer(option: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new BadUsage(`${option}: expected a whole number from 1 to ${max}, got ${text}`);
}

function readPolicy(path: string): Omit<Policy, "targets"> & { targets?: Policy["targets"] } {
  const file = [path, fromCaller(path)].find((candidate) => existsSync(candidate));
  if (file === undefined) throw new BadUsage(`expected the file of a policy, but ${path} does not exist`);
  let policy = parse(readFileSync(file, "utf8"), `expected JSON in ${path}`);
  if (isObject(policy) && "user_event" in policy) {
    const { user_event } = policy;
    policy = typeof user_event === "string" ? parse(user_event, `user_event: expected JSON in ${path}`) : user_event;
  }
  const invalidPolicy = (reason: string) => new BadUsage(`${path} is not a valid policy\n${reason}`);
  const faults = validate(schema, policy);
  if (faults.length > 0) throw invalidPolicy(faults.join("\n"));
  const checked = policy as Policy;
  try {
    checkPolicy(checked);
    retentionOf(checked);
  } catch (error) {
    throw invalidPolicy((error as Error).message);
  }
  return checked;
}

/** Replaces each placeholder for an id, because the simulation does not depend on resources. */
const SOME_ID = "00000000-0000-4000-8000-000000000000";

/** Parses JSON after it removes a byte order mark and replaces each placeholder, such as `{{volume_id}}`, by an id. */
function parse(text: string, expected: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, "").replace(/\{\{\w+\}\}/g, SOME_ID));
  } catch (error) {
    throw new BadUsage(`${expected}: ${(error as Error).message}`);
  }
}

/**
 * Runs the command `simulate`: prints the snapshots that a policy retains on each day.
 *
 * @returns the reasons why the policy exceeds a limit, or an empty array
 * @throws BadUsage before it prints or writes anything
 */
export function runSimulate(argv: readonly string[], print: (text: string) => void): string[] {
  const { values, positionals } = readArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  if (values.help) {
    print(USAGE);
    return [];
  }
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw new BadUsage(`expected the file of one policy, got ${positionals.join(" ") || "nothing"}`);
  }
  const { out, svg } = values;
  if (svg !== undefined && out !== undefined) throw new BadUsage("expected --svg or --out, got both");
  const picture = out ?? svg;
  const plan = readPlan(values);
  const policy = readPolicy(path);
  const days = simulate({ ...policy, hold: [] }, plan);
  try {
    if (picture !== undefined) writeFileSync(fromCaller(picture), calendar(policy.policy, days));
  } catch (error) {
    const option = out === undefined ? "--svg" : "--out";
    throw new BadUsage(`${option}: expected a file that can be written: ${(error as Error).message}`);
  }
  const last = days.at(-1)?.day;
  print(daysTable(days).join("\n"));
  print(`\nRetained on ${last} (${policy.policy}, ${policy.time_zone ?? "UTC"})\n`);
  print(retainedTable(days).join("\n"));
  const exceeded = exceededLimits(days, policy.targets ?? []);
  print(`\n${[peak(days), ...exceeded].join("\n")}`);
  if (picture !== undefined) print(`Picture: ${fromCaller(picture)}`);
  return exceeded.map((reason) => `${policy.policy} does not fit: ${reason}`);
}

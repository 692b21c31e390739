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
import type { Screen } from "../terminal/screen.ts";
import { wrapText } from "../terminal/table.ts";
import { type KindResult, type SimulatedPolicy, simulateKinds } from "./kinds.ts";
import { drawSimulation } from "./picture.ts";
import {
  countSnapshots,
  describeFailures,
  describeInterval,
  describePruneRuns,
  describeVerdict,
  formatDays,
  formatRetained,
} from "./report.ts";
import { DEFAULT_PRUNE_EVERY, readPruneEvery, type SimulationPlan } from "./simulate.ts";
import { explainTerraformFields } from "./terraform-policy.ts";

const USAGE = `npm run simulate -- <policy.json> [--days 400] [--from 2026-11-21] [--every 24]
                [--prune-every "0 40 3 * * *"] [--out <file>]

Simulates a policy for one resource, without any cloud: creates a snapshot at a fixed interval, deletes snapshots at each
prune run by the retention in the policy, and makes room if the policy has make_room. Prints first whether the policy
fits: how many snapshots it needs at the same time, and the limit of each kind of snapshot. Assumes that all other
create requests succeed. The file contains a policy, or a timer event with a policy. Samples: test/policies.

  --days         how many days to simulate (default: 400)
  --from         the first day (default: today); the first snapshot is created at 02:00 UTC on this day
  --every        the number of hours between two snapshots (default: 24)
  --prune-every  when prune-snapshots runs: the prune_schedule of the policy in Terraform, or a duration such as 12h or 2d
                 (default: ${DEFAULT_PRUNE_EVERY}, as Terraform starts it without a prune_schedule)
  --out          writes an SVG picture to this file: the number of snapshots over time with the limit, and the snapshots
                 of the last day by age, with the rules that keep them (--svg is the same option)

Exit code: 0 if the policy fits or has no targets, 1 if a create request would fail with QuotaExceeded, 2 if the
arguments or the policy are wrong.`;

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

function readPolicy(path: string): SimulatedPolicy {
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
  if (faults.length > 0) throw invalidPolicy(explainTerraformFields(policy, faults).join("\n"));
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
 * Runs the command `npm run simulate`: prints whether a policy fits, which snapshots it retains, and what happens on the days.
 *
 * @returns the exit code: 1 if a create request would fail with QuotaExceeded, otherwise 0
 * @throws BadUsage if the arguments or the policy are wrong; in this case, the function has printed nothing and written no file
 */
export function runSimulate(argv: readonly string[], screen: Screen): number {
  const { values, positionals } = readArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  if (values.help) {
    screen.line(USAGE);
    return 0;
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
  screen.update(`Simulating ${plan.days} days`);
  const results = simulateKinds({ ...policy, hold: [] }, plan);
  try {
    if (picturePath !== undefined) writeFileSync(resolveFromCaller(picturePath), drawSimulation(policy, plan, results));
  } catch (error) {
    screen.update("");
    const option = out === undefined ? "--svg" : "--out";
    throw new BadUsage(`${option}: the picture could not be written: ${(error as Error).message}`);
  }
  printReport(policy, plan, results, screen);
  if (picturePath !== undefined) screen.line(`\nPicture: ${resolveFromCaller(picturePath)}`);
  return results.some(({ failed }) => failed > 0) ? 1 : 0;
}

function printReport(policy: SimulatedPolicy, plan: SimulationPlan, results: readonly KindResult[], screen: Screen) {
  const { style, width } = screen;
  const shown = results[0] as KindResult;
  const retained = shown.days.at(-1)?.retained ?? [];
  const paragraph = (text: string) => {
    for (const line of wrapText(text, width)) screen.line(line);
  };
  const [first = "", ...rest] = wrapText(describeVerdict(policy, results), width);
  const paint = shown.failed > 0 ? style.bad : shown.labels.length > 0 ? style.good : style.bold;
  for (const line of [first, ...rest]) screen.line(paint(line));
  describeFailures(policy, plan, results).forEach(paragraph);
  paragraph(describePlan(policy, plan));
  const warning = countOnlyWarning(policy);
  if (warning !== undefined) paragraph(`Warning: ${warning}`);
  // The kinds whose limit the policy does not reach have the same days.
  const isAmbiguous = results.some(({ days }) => days !== shown.days);
  const ofKind = isAmbiguous ? ` (${shown.labels.join(", ")})` : "";
  screen.line();
  screen.line(style.bold(`${countSnapshots(retained.length)} at the end of ${shown.days.at(-1)?.day}${ofKind}`));
  for (const line of formatRetained(retained, policy.retention !== undefined, width)) screen.line(line);
  screen.line();
  screen.line(style.bold(`All ${shown.days.length} days, similar days in one row${ofKind}`));
  for (const line of formatDays(shown.days, width)) screen.line(line);
}

/** Returns sentences about what was simulated, and what was not. */
function describePlan({ time_zone = "UTC", retention, dry_run }: SimulatedPolicy, plan: SimulationPlan): string {
  const start = new Date(plan.from).toISOString().slice(0, 16).replace("T", " ");
  const rules = Object.entries(retention ?? {}).map(([rule, count]) => `${rule} ${count}`);
  const kept = rules.length === 0 ? "" : `, kept by ${new Intl.ListFormat("en-GB").format(rules)}`;
  return [
    `Simulated ${plan.days} days of one resource that has no other snapshots, from ${start} UTC: a snapshot ${describeInterval(plan)}${kept};`,
    `prune-snapshots runs ${describePruneRuns(plan, time_zone)}. The tables count the snapshots at the end of each day (${time_zone}). Before prune-snapshots runs, there can be more.`,
    ...(retention === undefined ? ["The policy has no retention, so prune-snapshots deletes only duplicates."] : []),
    ...(dry_run ? ["The simulation ignores dry_run, with which the functions create and delete nothing."] : []),
  ].join(" ");
}

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { policy as schema } from "../../../functions/prune-snapshots/schema.generated.js";
import { faultsOf } from "../../../shared/middleware/check.ts";
import { isObject } from "../../../shared/snapshots/json.ts";
import { checkTimeZone, type Policy } from "../../../shared/snapshots/policy.ts";
import { retentionOf } from "../../../shared/snapshots/prune.ts";
import { calendar } from "./calendar.ts";
import { daysTable, heldTable, remarks } from "./report.ts";
import { simulate } from "./simulate.ts";

const USAGE = `npm run simulate -- <policy.json> [--days 400] [--from 2026-11-21] [--every 24] [--svg <file>]

Takes a snapshot of one resource every so many hours, prunes after each by the policy's retention, and tells what is held
on each day, as if every snapshot succeeded: a table, and a picture with a row for each rule and a mark for each day whose
snapshot is still held at the end. Nothing is asked of any cloud.

  --days    how many days (400)
  --from    the first of them (today); snapshots are taken from 02:00 UTC on
  --every   hours between two snapshots (24)
  --svg     the picture's file (that of the policy, with .svg in place of .json)`;

/** It was called in the wrong way. */
export class BadUsage extends Error {}

/** npm runs scripts in the package's folder and tells where it was called from. */
const fromCaller = (path: string) => resolve(process.env.INIT_CWD ?? "", path);

function readArguments(argv: readonly string[]) {
  const options: Record<string, string> = { days: "400", from: new Date().toISOString().slice(0, 10), every: "24" };
  const paths: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] as string;
    const option = /^--(days|from|every|svg)(?:=(.*))?$/s.exec(argument);
    if (option === null && argument.startsWith("--")) throw new BadUsage(`expected a known option, got ${argument}`);
    if (option === null) paths.push(argument);
    else {
      const [, name = "", value = argv[++index]] = option;
      if (value === undefined) throw new BadUsage(`expected a value after ${argument}`);
      options[name] = value;
    }
  }
  const [path, ...more] = paths;
  if (path === undefined || more.length > 0) {
    throw new BadUsage(`expected the file of one policy, got ${paths.join(" ") || "nothing"}`);
  }
  const count = (name: string, most: number) => {
    const value = Number(options[name]);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new BadUsage(`--${name}: expected a whole number from 1 to ${most}, got ${options[name]}`);
  };
  const from = Date.parse(`${options.from}T02:00:00Z`);
  // What a month does not have would be a day of the next one.
  const isDay = !Number.isNaN(from) && new Date(from).toISOString().slice(0, 10) === options.from;
  if (!isDay) throw new BadUsage(`--from: expected a day such as 2026-11-21, got ${options.from}`);
  const svg = fromCaller(options.svg ?? `${path.replace(/\.json$/, "")}.svg`);
  return { path, svg, plan: { from, days: count("days", 20_000), everyHours: count("every", 24 * 366) } };
}

function readPolicy(path: string): Omit<Policy, "targets"> & { targets?: Policy["targets"] } {
  const file = [path, fromCaller(path)].find((candidate) => existsSync(candidate));
  if (file === undefined) throw new BadUsage(`expected the file of a policy, but there is no ${path}`);
  let policy: unknown;
  try {
    policy = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new BadUsage(`expected JSON in ${path}: ${(error as Error).message}`);
  }
  if (isObject(policy) && "user_event" in policy) {
    throw new BadUsage(`${path} is an event: give the policy alone, which is its user_event`);
  }
  const noPolicy = (why: string) => new BadUsage(`${path} is no policy to simulate\n${why}`);
  const faults = faultsOf(schema, policy);
  if (faults.length > 0) throw noPolicy(faults.join("\n"));
  const checked = policy as Policy;
  try {
    checkTimeZone(checked.time_zone ?? "UTC");
    retentionOf(checked);
  } catch (refused) {
    throw noPolicy((refused as Error).message);
  }
  return checked;
}

/** Throws BadUsage; nothing is printed then, nor written. */
export function command(argv: readonly string[], print: (text: string) => void): void {
  if (argv.includes("--help")) {
    print(USAGE);
    return;
  }
  const { path, svg, plan } = readArguments(argv);
  const policy = readPolicy(path);
  const days = simulate({ ...policy, hold: [] }, plan);
  try {
    writeFileSync(svg, calendar(policy.policy, days));
  } catch (error) {
    throw new BadUsage(`--svg: expected a file that can be written: ${(error as Error).message}`);
  }
  const last = days.at(-1)?.day;
  print(daysTable(days).join("\n"));
  print(`\nHeld on ${last} (${policy.policy}, ${policy.time_zone ?? "UTC"})\n`);
  print(heldTable(days).join("\n"));
  const kinds = (policy.targets ?? []).map(({ kind }) => kind);
  print(`\n${remarks(days, kinds).join("\n")}`);
  print(`The picture: ${svg}`);
}

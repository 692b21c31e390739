import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { policy as schema } from "../../../functions/prune-snapshots/schema.generated.js";
import { isObject } from "../../../shared/core/json.ts";
import { checkPolicy } from "../../../shared/snapshots/check-policy.ts";
import type { Policy } from "../../../shared/snapshots/policy.ts";
import { retentionOf } from "../../../shared/snapshots/retention/prune.ts";
import { validate } from "../../../shared/validation/validate.ts";
import { calendar } from "./calendar.ts";
import { daysTable, heldTable, overflows, remarks } from "./report.ts";
import { simulate } from "./simulate.ts";

const USAGE = `npm run simulate -- <policy.json> [--days 400] [--from 2026-11-21] [--every 24] [--out <file>]

Takes a snapshot of one resource every so many hours, prunes after each by the policy's retention, and tells what is held
on each day, as if every snapshot succeeded. The file holds a policy, or a timer's event with one. Nothing is asked of any cloud. Exits
with 1 where the policy does not fit: it would end in QuotaExceeded.

  --days    how many days (400)
  --from    the first of them (today); snapshots are taken from 02:00 UTC on
  --every   hours between two snapshots (24)
  --out     writes a picture into this file, as SVG: a row for each rule, a mark for each day whose snapshot is still held
            at the end (none is written without it; --svg is the same)`;

/** It was called in the wrong way. */
export class BadUsage extends Error {}

/** npm runs scripts in the package's folder and tells where it was called from. */
const fromCaller = (path: string) => resolve(process.env.INIT_CWD ?? "", path);

function readArguments(argv: readonly string[]) {
  const options: Record<string, string> = { days: "400", from: new Date().toISOString().slice(0, 10), every: "24" };
  const paths: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] as string;
    const option = /^--(days|from|every|svg|out)(?:=(.*))?$/s.exec(argument);
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
  if (options.svg !== undefined && options.out !== undefined) throw new BadUsage("expected --svg or --out, got both");
  const picture = options.out ?? options.svg;
  const out =
    picture === undefined ? undefined : { option: options.out ? "--out" : "--svg", file: fromCaller(picture) };
  return { path, out, plan: { from, days: count("days", 20_000), everyHours: count("every", 24 * 366) } };
}

function readPolicy(path: string): Omit<Policy, "targets"> & { targets?: Policy["targets"] } {
  const file = [path, fromCaller(path)].find((candidate) => existsSync(candidate));
  if (file === undefined) throw new BadUsage(`expected the file of a policy, but there is no ${path}`);
  let policy = parsed(readFileSync(file, "utf8"), `expected JSON in ${path}`);
  if (isObject(policy) && "user_event" in policy) {
    const { user_event } = policy;
    policy = typeof user_event === "string" ? parsed(user_event, `user_event: expected JSON in ${path}`) : user_event;
  }
  const noPolicy = (why: string) => new BadUsage(`${path} is no policy to simulate\n${why}`);
  const faults = validate(schema, policy);
  if (faults.length > 0) throw noPolicy(faults.join("\n"));
  const checked = policy as Policy;
  try {
    checkPolicy(checked);
    retentionOf(checked);
  } catch (refused) {
    throw noPolicy((refused as Error).message);
  }
  return checked;
}

/** Replaces placeholders for ids, because the simulation does not depend on resources. */
const SOME_ID = "00000000-0000-4000-8000-000000000000";

/** Parses JSON after it removes a byte order mark and replaces each placeholder, such as `{{volume_id}}`, by an id. */
function parsed(text: string, expected: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, "").replace(/\{\{\w+\}\}/g, SOME_ID));
  } catch (error) {
    throw new BadUsage(`${expected}: ${(error as Error).message}`);
  }
}

/**
 * Prints what a policy holds on each day. If it throws BadUsage, it has printed and written nothing.
 *
 * @returns why the policy does not fit, or an empty string if it fits
 */
export function command(argv: readonly string[], print: (text: string) => void): string[] {
  if (argv.includes("--help")) {
    print(USAGE);
    return [];
  }
  const { path, out, plan } = readArguments(argv);
  const policy = readPolicy(path);
  const days = simulate({ ...policy, hold: [] }, plan);
  try {
    if (out !== undefined) writeFileSync(out.file, calendar(policy.policy, days));
  } catch (error) {
    throw new BadUsage(`${out?.option}: expected a file that can be written: ${(error as Error).message}`);
  }
  const last = days.at(-1)?.day;
  print(daysTable(days).join("\n"));
  print(`\nHeld on ${last} (${policy.policy}, ${policy.time_zone ?? "UTC"})\n`);
  print(heldTable(days).join("\n"));
  const misfits = overflows(days, policy.targets ?? []);
  print(`\n${[...remarks(days), ...misfits].join("\n")}`);
  if (out !== undefined) print(`The picture: ${out.file}`);
  return misfits.map((misfit) => `${policy.policy} does not fit: ${misfit}`);
}

/** Runs commands of infra/README.md, and checks its table of unconfirmed assumptions. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { capture } from "../local/simulate/captured.ts";
import { parse } from "./hcl.ts";
import { planOf, sources } from "./plan.ts";
import { README } from "./readme.ts";

/** The shell function `event`, without the commands that call it. */
const EVENT = /^event\(\) \{\n[\s\S]*?\n\}\n/m.exec(README)?.[0] ?? "";

/** Returns the output `events` of the plan for examples/minimal.tfvars. */
async function eventsOf(): Promise<Record<string, string>> {
  const file = join(import.meta.dirname, "..", "..", "..", "infra", "terraform", "examples", "minimal.tfvars");
  const filledIn = { alarm: { email: "sre@example.org" }, lts_endpoint: "https://100.125.11.157:8102" };
  const { outputs } = await planOf(sources(), { ...(await parse(file, readFileSync(file, "utf8"))), ...filledIn });
  return outputs.events;
}

/** Runs the shell function `event` with a substitute for Terraform. */
const runEvent = (events: Record<string, string>, ...args: string[]): string =>
  execFileSync("sh", ["-c", `terraform() { printf %s "$EVENTS"; }\n${EVENT}event "$@"`, "sh", ...args], {
    env: { ...process.env, EVENTS: JSON.stringify(events) },
    encoding: "utf8",
  });

test("the shell function `event` in infra/README.md prints each event of a deployment with the current time", async () => {
  const events = await eventsOf();
  expect(Object.keys(events)).toEqual(["prune_nightly", "take_nightly", "verify"]);
  for (const [name, event] of Object.entries(events)) {
    const { time, ...rest } = JSON.parse(runEvent(events, name));
    const { time: sampleTime, ...expected } = JSON.parse(event);
    expect(rest).toEqual(expected);
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(time).not.toBe(sampleTime);
  }
});

test("the shell function `event` in infra/README.md prints an event with the time in the second argument", async () => {
  const time = "2026-11-30T02:00:00.000Z";
  expect(JSON.parse(runEvent(await eventsOf(), "take_nightly", time))).toMatchObject({ time });
});

test("the command `npm run simulate` in infra/README.md accepts the test event of a deployed policy, and its first output line is the line in infra/README.md", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "nightly.json");
  writeFileSync(file, runEvent(await eventsOf(), "take_nightly"));
  const [, every = "", cron = ""] =
    /npm run simulate -- nightly\.json --every (\d+) --prune-every "([^"]+)"/.exec(README) ?? [];
  const { code, first } = capture(file, "--every", every, "--prune-every", cron);
  expect(code).toBe(0);
  expect(README).toContain(`Output: \`${first}\``);
});

test("infra/README.md numbers the unconfirmed assumptions, and cites only existing numbers", () => {
  const table = README.split("\n## Unconfirmed assumptions\n")[1] ?? "";
  const numbers = [...table.matchAll(/^\| (\d+) /gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  // A citation is written as "assumption 3", "assumptions 1 and 2" or "(functiongraph_01_0407; assumption 16)".
  const cited = [...README.matchAll(/\bassumptions? (\d+(?:(?:, | and | or )\d+)*)/gi)].flatMap(([, list = ""]) =>
    list.split(/\D+/),
  );
  expect(cited.length).toBeGreaterThan(20);
  expect(cited.map(Number).filter((number) => !numbers.includes(number))).toEqual([]);
  // A bare number in parentheses, such as (3), could also be a count, so no citation has this form.
  expect(README.match(/(?<!\w)\((?:[\w.]+; )?\d{1,2}(?:, \d{1,2})*\)/g)).toBeNull();
});

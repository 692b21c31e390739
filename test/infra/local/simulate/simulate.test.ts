import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { simulate } from "../../../../infra/local/simulate/simulate.ts";
import { timerEvent } from "../../../support/environment.ts";
import { capture } from "./captured.ts";

const FROM = Date.parse("2026-11-21T02:00:00Z");
const nightly = {
  policy: "nightly",
  time_zone: "Europe/Berlin",
  retention: { keep_last: 3, keep_within_days: 2, keep_daily: 7, keep_weekly: 4, keep_monthly: 12 },
};
const plan = { from: FROM, days: 400, everyHours: 24 };

describe("simulate over 400 days", () => {
  const days = simulate(nightly, plan);

  test("simulate shows which snapshots the policy retains after 400 days, and which retention rules retain each snapshot", () => {
    expect(days).toHaveLength(400);
    expect([days[0]?.day, days.at(-1)?.day]).toEqual(["2026-11-21", "2027-12-25"]);
    expect(days.at(-1)?.retained.map(({ day, rules }) => `${day} ${rules.join(" ")}`)).toEqual([
      ...["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31", "2027-06-30"].map(monthly),
      ...["2027-07-31", "2027-08-31", "2027-09-30", "2027-10-31", "2027-11-30"].map(monthly),
      "2027-12-05 keep_weekly",
      "2027-12-12 keep_weekly",
      "2027-12-19 keep_daily keep_weekly",
      "2027-12-20 keep_daily",
      "2027-12-21 keep_daily",
      "2027-12-22 keep_daily",
      "2027-12-23 keep_last keep_daily",
      "2027-12-24 keep_last keep_within_days keep_daily",
      "2027-12-25 keep_last keep_within_days keep_daily keep_weekly keep_monthly",
    ]);
  });

  test("for each day, the number of snapshots that simulate retains is the previous day's number plus created minus deleted snapshots", () => {
    let retained = 0;
    for (const day of days) {
      expect(day.retained).toHaveLength(retained + day.created - day.deleted);
      expect(day.retained.every(({ rules }) => rules.length > 0)).toBe(true);
      retained = day.retained.length;
    }
  });
});

const monthly = (day: string) => `${day} keep_monthly`;

test("if a policy creates several snapshots per day, simulate uses the policy's time zone to count the snapshots of each day", () => {
  const policy = { policy: "hourly", time_zone: "Asia/Tokyo", retention: { keep_last: 6, keep_daily: 3 } };
  const days = simulate(policy, { from: FROM, days: 3, everyHours: 6 });
  expect(days.map(({ day, created, deleted, retained }) => [day, created, deleted, retained.length])).toEqual([
    // The prune runs are at 12:40 in Tokyo. The first one has one snapshot, the second one 5.
    ["2026-11-21", 3, 0, 3],
    ["2026-11-22", 4, 0, 7],
    // The prune run has 9 snapshots, and 2 more are created after it. keep_daily is 3, so it retains the newest of 3 days.
    ["2026-11-23", 4, 2, 9],
  ]);
  expect(days.map(({ peak }) => peak)).toEqual([3, 7, 9]);
});

describe("the command simulate", () => {
  const run = (...argv: string[]) =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const { INIT_CWD: _, ...env } = process.env;
      const child = spawn(process.execPath, ["--import", "tsx", "infra/local/simulate/main.ts", ...argv], { env });
      let [out, err] = ["", ""];
      child.stdout.on("data", (chunk) => {
        out += chunk;
      });
      child.stderr.on("data", (chunk) => {
        err += chunk;
      });
      child.on("close", (code) => resolve({ code, out, err }));
    });

  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), "simulate-"));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  };

  test("simulate exits with 1 and prints a verdict, a cause and the days if a policy would cause QuotaExceeded", async () => {
    const path = folder();
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    writeFileSync(join(path, "nightly.json"), JSON.stringify({ ...nightly, targets }));
    const { code, out, err } = await run(join(path, "nightly.json"), "--from", "2026-11-21", "--days=60");
    expect([code, err]).toEqual([1, ""]);
    expect(out).not.toContain("\u001b");
    const lines = out.split("\n");
    expect(lines[0]).toBe(
      "Does not fit: the policy nightly needs 14 snapshots of the kind snapshot, and the limit is 7.",
    );
    expect(lines[1]).toMatch(
      /^53 of 60 requests to create a snapshot fail with QuotaExceeded, the first one on 2026-11-28\./,
    );
    expect(out).toContain("7 snapshots at the end of 2027-01-19");
    expect(out).toMatch(/^from +days +created +deleted +failed +snapshots at the end of a day$/m);
    expect(out).toMatch(/^2026-11-28 +53 +0 +0 +53 +7$/m);
    expect(readdirSync(path)).toEqual(["nightly.json"]);
  });

  test("simulate exits with 0 if the policy exceeds no limit, and writes a picture only with --svg or --out", async () => {
    const path = folder();
    writeFileSync(join(path, "nightly.json"), JSON.stringify(nightly));
    expect(await run(join(path, "nightly.json"), "--days=60")).toMatchObject({ code: 0, err: "" });
    expect(readdirSync(path)).toEqual(["nightly.json"]);
    for (const option of ["svg", "out"]) {
      const picture = join(path, `${option}.svg`);
      const { code, out, err } = await run(join(path, "nightly.json"), "--days=60", `--${option}`, picture);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain(`Picture: ${picture}`);
      expect(readFileSync(picture, "utf8")).toMatch(/^<svg /);
    }
  });

  const BOM = "\ufeff";
  const event = (user_event: unknown) => ({ ...timerEvent(""), user_event });
  test.each([
    ["only a policy", JSON.stringify(nightly)],
    ["a byte order mark and a policy", BOM + JSON.stringify(nightly)],
    ["a timer event with the policy as JSON", JSON.stringify(event(JSON.stringify(nightly)))],
    ["a timer event with the policy as an object", JSON.stringify(event(nightly))],
    [
      "a timer event with a byte order mark before the event and before the policy",
      BOM + JSON.stringify(event(BOM + JSON.stringify(nightly))),
    ],
  ])("simulate reads a file that contains %s", (_what, text) => {
    const file = join(folder(), "file.json");
    writeFileSync(file, text);
    const { code, text: printed } = capture(file, "--from", "2026-11-21", "--days", "3");
    expect(code).toBe(0);
    expect(printed).toContain("nightly");
    expect(printed).toContain("3 snapshots at the end of 2026-11-23");
  });

  test("simulate reads sample timer events whose policies contain placeholders instead of ids", () => {
    for (const name of ["scheduled-snapshots", "prune-snapshots", "prune-snapshots.duplicates"]) {
      const { text } = capture(`test/events/${name}.json`, "--days", "6");
      expect(text).toMatch(/^(Fits|No limit checked): /);
    }
  });

  test("simulate retains every snapshot of a policy without a retention, and reports that the policy exceeds the limit of a disk", () => {
    const file = join(folder(), "policy.json");
    const simulatePolicy = (policy: object, days: number) => {
      writeFileSync(file, JSON.stringify(policy));
      return capture(file, "--from", "2026-11-21", "--days", `${days}`);
    };
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    const seven = simulatePolicy({ policy: "nightly", targets }, 7);
    expect(seven.first).toBe("Fits: the policy nightly needs 7 snapshots of the kind snapshot, and the limit is 7.");
    expect(seven.words).toContain("The policy has no retention, so prune-snapshots deletes only duplicates.");
    expect(seven.text).toMatch(/^2026-11-21 to 2026-11-27 +7 +\(no retention\)$/m);
    const eight = simulatePolicy({ policy: "nightly", targets }, 8);
    expect([eight.code, eight.first]).toEqual([
      1,
      "Does not fit: the policy nightly needs 8 snapshots of the kind snapshot, and the limit is 7.",
    ]);
    expect(eight.words).toContain("1 of 8 requests to create a snapshot fails with QuotaExceeded, on 2026-11-28.");
    expect(eight.words).toContain("Add a retention that keeps at most 6 snapshots.");
    const unlimited = simulatePolicy({ policy: "pre-deploy" }, 30);
    expect([unlimited.code, unlimited.first]).toEqual([
      0,
      "No limit checked: the policy pre-deploy needs 30 snapshots of an unknown kind (it has no targets).",
    ]);
  });

  test("simulate rejects the policy fields that only Terraform has, and names the options that replace schedule and prune_schedule", () => {
    const file = join(folder(), "terraform.json");
    const policy = {
      schedule: "0 0 2 * * *",
      prune_schedule: "0 30 4 * * *",
      every_hours: 24,
      prune_every_hours: 48,
      retention: { keep_last: 6 },
    };
    writeFileSync(file, JSON.stringify(policy));
    const lines = [
      `${file} is not a valid policy`,
      'policy: required, but missing. In Terraform, the key of the policy is its name. Add the name: "policy": "<name>".',
      "schedule: a field of Terraform, not of a policy. Remove it. Pass the hours between two snapshots: --every 24.",
      'prune_schedule: a field of Terraform, not of a policy. Remove it. Pass its value: --prune-every "0 30 4 * * *".',
      "every_hours: a field of Terraform, not of a policy. Remove it. Only an alarm uses it.",
      "prune_every_hours: a field of Terraform, not of a policy. Remove it. Only an alarm uses it.",
    ];
    expect(() => capture(file)).toThrow(lines.join("\n"));
    writeFileSync(file, JSON.stringify({ policy: "nightly", prune_schedule: 7, keep: 1 }));
    expect(() => capture(file)).toThrow(
      /\nprune_schedule: a field .* --prune-every "<prune_schedule>"\.\nkeep: unknown field\. Allowed: /,
    );
    writeFileSync(file, JSON.stringify({ retention: { keep_last: 6 } }));
    expect(() => capture(file)).toThrow(/is not a valid policy\npolicy: required, but missing\.$/);
  });

  test("simulate rejects wrong arguments and invalid files with an explanation, and writes no file", async () => {
    const path = folder();
    const write = (name: string, text: string) => {
      writeFileSync(join(path, name), text);
      return join(path, name);
    };
    const policy = write("good.json", JSON.stringify(nightly));
    const cases: [string[], string][] = [
      [[], "expected one policy file, got no arguments"],
      [[join(path, "none.json")], "does not exist"],
      [[write("torn.json", "{")], "expected JSON"],
      [
        [write("empty.json", JSON.stringify({ policy: "p", retention: {} }))],
        "retention: expected at least one of keep_last",
      ],
      [[write("fault.json", JSON.stringify({ ...nightly, retention: { keep_hourly: 1 } }))], "keep_hourly"],
      [[write("zone.json", JSON.stringify({ ...nightly, time_zone: "Mars/Olympus" }))], "time_zone"],
      [[policy, "--days", "0"], "--days: expected an integer from 1"],
      [[policy, "--from", "yesterday"], "--from: expected a date such as"],
      [[policy, "--from", "2026-02-30"], "--from: expected a date such as 2026-11-21, got 2026-02-30"],
      [[policy, "--svg", join(path, "none", "p.svg")], "--svg: the picture could not be written: ENOENT"],
      [[policy, "--out", join(path, "none", "p.svg")], "--out: the picture could not be written: ENOENT"],
      [[policy, "--svg", "a.svg", "--out", "b.svg"], "expected --svg or --out, got both"],
      [["test/events/verify-snapshots.json"], "verify-snapshots.json is not a valid policy"],
      [[write("text.json", JSON.stringify(event("{")))], "user_event: expected JSON in"],
      [
        [write("keeps.json", JSON.stringify({ policy: "p", retention: {} }))],
        "keeps.json is not a valid policy\nretention: expected",
      ],
      [[policy, "--prune-every", "daily"], "--prune-every: expected a cron expression with six fields such as"],
      [[policy, "--prune-every", "0 30 4 * *"], "--prune-every: expected"],
      [[policy, "--prune-every", "0h"], "--prune-every: expected"],
      [[policy, "--prune-every", "0 0 0 31 2 *"], "--prune-every: expected"],
      [[policy, "--month", "1"], "Unknown option '--month'"],
      [[policy, "--days"], "Option '--days <value>' argument missing"],
    ];
    for (const [argv, message] of cases) {
      expect(() => capture(...argv)).toThrow(message);
    }
    expect(readdirSync(path).filter((name) => name.endsWith(".svg"))).toEqual([]);
    const { code, out, err } = await run(policy, "--days", "many");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("simulate: --days: expected an integer from 1 to 20000, got many");
  });
});

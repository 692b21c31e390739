import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { drawCalendar } from "../../../../infra/local/simulate/calendar.ts";
import { runSimulate } from "../../../../infra/local/simulate/command.ts";
import { simulate } from "../../../../infra/local/simulate/simulate.ts";
import { timerEvent } from "../../../support/environment.ts";

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

  test("simulate draws an SVG with a row for each retention rule and a mark for each retained snapshot", () => {
    const svg = drawCalendar(`<"nightly" & co>`, days);
    expect(svg).toContain("&lt;&quot;nightly&quot; &amp; co&gt;");
    const rows = [...svg.matchAll(/text-anchor="end">(\w+)</g)].map(([, name]) => name);
    expect(rows).toEqual(["keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "retained"]);
    const marks = [...svg.matchAll(/<rect x="([\d.]+)" y="(\d+)" width="[\d.]+"[^>]*><title>([^<]*)</g)];
    const tops = [...new Set(marks.map(([, , y]) => Number(y)))].sort((a, b) => a - b);
    expect(tops.map((top) => marks.filter(([, , y]) => Number(y) === top).length)).toEqual([3, 2, 7, 4, 12, 20]);
    // In the last row of the picture, the marks are sorted by day from left to right.
    const lastRow = marks.filter(([, , y]) => Number(y) === tops.at(-1));
    expect(lastRow.map(([, , , title]) => title?.slice(0, 10))).toEqual(days.at(-1)?.retained.map(({ day }) => day));
    const places = lastRow.map(([, x]) => Number(x));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(unbalancedTags(svg)).toEqual([]);
  });
});

const monthly = (day: string) => `${day} keep_monthly`;

/** Returns the XML tags that are not closed, or a closing tag without an opening tag. */
function unbalancedTags(xml: string): string[] {
  const open: string[] = [];
  for (const [, close, name = "", rest = ""] of xml.matchAll(/<(\/?)(\w+)([^>]*)>/g)) {
    if (close) {
      if (open.pop() !== name) return [`</${name}>`];
    } else if (!rest.endsWith("/")) open.push(name);
  }
  return open;
}

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

  test("simulate prints a table, and exits with 1 and an explanation if the policy would cause QuotaExceeded", async () => {
    const path = folder();
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    writeFileSync(join(path, "nightly.json"), JSON.stringify({ ...nightly, targets }));
    const { code, out, err } = await run(join(path, "nightly.json"), "--from", "2026-11-21", "--days=60");
    expect(code).toBe(1);
    expect(err).toMatch(
      /^simulate: The policy nightly exceeds a limit: A disk can have 7 snapshots of the kind snapshot\. .*QuotaExceeded/,
    );
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^day +created +deleted +retained +oldest +keep_last +keep_within_days +keep_daily/);
    expect(lines[1]).toMatch(/^2026-11-21 +1 +0 +1 +2026-11-21 +1 +1 +1 +1 +1$/);
    expect(lines[60]).toMatch(/^2027-01-19 +1 +1 +\d+ +2026-11-21/);
    expect(out).toContain("Retained on 2027-01-19 (nightly, Europe/Berlin)");
    expect(out).toContain("A disk can have 7 snapshots of the kind snapshot");
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
    const printed: string[] = [];
    expect(runSimulate([file, "--from", "2026-11-21", "--days", "3"], (line) => printed.push(line))).toEqual([]);
    expect(printed.join("\n")).toContain("Retained on 2026-11-23 (nightly, Europe/Berlin)");
  });

  test("simulate reads sample timer events whose policies contain placeholders instead of ids", () => {
    for (const name of ["scheduled-snapshots", "prune-snapshots", "prune-snapshots.duplicates"]) {
      const printed: string[] = [];
      expect(runSimulate([`test/events/${name}.json`, "--days", "30"], (line) => printed.push(line))).toEqual([]);
      expect(printed.join("\n")).toMatch(/reaches its maximum, \d+, on /);
    }
  });

  test("simulate retains every snapshot of a policy without a retention, and reports that the policy exceeds the limit of a disk", () => {
    const file = join(folder(), "policy.json");
    const simulatePolicy = (policy: object, days: number) => {
      writeFileSync(file, JSON.stringify(policy));
      const printed: string[] = [];
      const exceeded = runSimulate([file, "--from", "2026-11-21", "--days", `${days}`], (line) => printed.push(line));
      return { exceeded, text: printed.join("\n") };
    };
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    const six = simulatePolicy({ policy: "nightly", targets }, 6);
    expect(six.exceeded).toEqual([]);
    expect(six.text).toContain("The policy has no retention, so prune-snapshots deletes only duplicates.");
    expect(six.text).toMatch(/^2026-11-26 +1 +0 +6 +2026-11-21$/m);
    expect(six.text).toMatch(/^2026-11-26 +\(no retention\)$/m);
    expect(simulatePolicy({ policy: "nightly", targets }, 7).exceeded).toEqual([
      expect.stringContaining("A disk can have 7 snapshots of the kind snapshot."),
    ]);
    expect(simulatePolicy({ policy: "pre-deploy" }, 30).exceeded).toEqual([]);
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
      const printed: string[] = [];
      expect(() => runSimulate(argv, (text) => printed.push(text))).toThrow(message);
      expect(printed).toEqual([]);
    }
    expect(readdirSync(path).filter((name) => name.endsWith(".svg"))).toEqual([]);
    const { code, out, err } = await run(policy, "--days", "many");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("simulate: --days: expected an integer from 1 to 20000, got many");
  });
});

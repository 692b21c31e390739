/** Tests the tables of `npm run simulate`: which days and which snapshots share a row. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { foldDays, formatDays, formatRetained } from "../../../../infra/local/simulate/report.ts";
import { type RetentionRule, type SimulatedDay, simulate } from "../../../../infra/local/simulate/simulate.ts";
import { capture } from "./captured.ts";
import { SAMPLE_FOLDER } from "./samples.ts";

const plan = { from: Date.parse("2026-11-21T02:00:00Z"), days: 400, everyHours: 24 };
const gfs = { policy: "p", retention: { keep_daily: 7, keep_weekly: 4, keep_monthly: 12, keep_yearly: 7 } };

/** Returns consecutive days with these numbers of snapshots, and of failed create requests. */
const daysWith = (counts: number[], failed: number[] = []): SimulatedDay[] =>
  counts.map((count, index) => ({
    day: new Date(Date.UTC(2026, 10, 21 + index)).toISOString().slice(0, 10),
    created: 1,
    deleted: 0,
    failed: failed[index] ?? 0,
    retained: Array.from({ length: count }, () => ({ created: 0, day: "2026-11-21", rules: [] })),
    peak: count,
  }));

describe("the table of days", () => {
  test.each<
    [what: string, counts: number[], failed: number[], rows: [first: string, days: number, min: number, max: number][]]
  >([
    ["has one row for days that each reach a new maximum", [1, 2, 3], [], [["2026-11-21", 3, 1, 3]]],
    ["has one row for 12 equal days", [3, ...Array(12).fill(3)], [], [["2026-11-21", 13, 3, 3]]],
    [
      "begins a row when the number stops growing",
      [1, 2, 2, 2],
      [],
      [
        ["2026-11-21", 2, 1, 2],
        ["2026-11-23", 2, 2, 2],
      ],
    ],
    [
      "keeps a day with a new maximum in the row of the days after it",
      [2, 2, 3, 2, 3],
      [],
      [
        ["2026-11-21", 2, 2, 2],
        ["2026-11-23", 3, 2, 3],
      ],
    ],
    [
      "begins a row when create requests start to fail, and a row when they stop failing",
      [7, 7, 7, 7],
      [0, 2, 1, 0],
      [
        ["2026-11-21", 1, 7, 7],
        ["2026-11-22", 2, 7, 7],
        ["2026-11-24", 1, 7, 7],
      ],
    ],
  ])("the table of days %s", (_what, counts, failed, rows) => {
    expect(foldDays(daysWith(counts, failed)).map(({ first, days, min, max }) => [first, days, min, max])).toEqual(
      rows,
    );
  });

  test("the rows of the table of days cover every day and every created and deleted snapshot once", () => {
    const days = simulate(gfs, plan);
    const sum = (list: readonly { created: number; deleted: number }[]) => [
      list.reduce((total, { created }) => total + created, 0),
      list.reduce((total, { deleted }) => total + deleted, 0),
    ];
    const rows = foldDays(days);
    expect(rows.reduce((total, { days: count }) => total + count, 0)).toBe(400);
    expect(sum(rows)).toEqual(sum(days));
    expect(formatDays(days, 100).length).toBeLessThanOrEqual(15);
  });

  test("the table of days has at most 14 rows, and merges the rows in the middle", () => {
    const counts = Array.from({ length: 400 }, (_, index) => 1 + Math.floor(index / 7));
    const lines = formatDays(daysWith(counts), 100);
    expect(lines).toHaveLength(15);
    expect(lines[1]).toMatch(/^2026-11-21 +7 +7 +0 +1$/);
    expect(lines[8]).toMatch(/^2027-01-09 +\d+ +\d+ +0 +8 to 52$/);
    expect(lines.at(-1)).toMatch(/ 58$/);
  });
});

describe("the table of retained snapshots", () => {
  const one = (day: string, ...rules: RetentionRule[]) => ({ created: Date.parse(day), day, rules });

  test("the table of retained snapshots merges consecutive snapshots that the same rules keep into one row, newest first", () => {
    const retained = [
      one("2026-11-21"),
      one("2026-11-22", "keep_daily"),
      one("2026-11-23", "keep_daily"),
      one("2026-11-24", "keep_last", "keep_daily"),
    ];
    expect(
      formatRetained(retained, true, 100)
        .slice(1)
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["2026-11-24", "1", "keep_last, keep_daily"],
      ["2026-11-22 to 2026-11-23", "2", "keep_daily"],
      ["2026-11-21", "1", "(deleted by the next prune run)"],
    ]);
  });

  test("the table of retained snapshots has at most 14 rows, and the counts in the rows add up to the number of all snapshots", () => {
    const rules: RetentionRule[] = ["keep_last", "keep_daily"];
    const retained = Array.from({ length: 60 }, (_, index) =>
      one(`2026-11-${String(1 + (index % 30)).padStart(2, "0")}`, rules[index % 2] as RetentionRule),
    );
    const lines = formatRetained(retained, true, 100).slice(1);
    expect(lines).toHaveLength(14);
    expect(lines.reduce((sum, line) => sum + Number(/ {2,}(\d+) {2}/.exec(line)?.[1]), 0)).toBe(60);
    expect(lines.join("\n")).toContain("47  keep_last or keep_daily");
  });
});

describe("the explanation of a policy that exceeds the limit of a disk", () => {
  const from = ["--from", "2026-11-21"];
  const simulateV2 = (fields: object, ...argv: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), "simulate-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "policy.json");
    const write = (changes: object) =>
      writeFileSync(
        file,
        JSON.stringify({
          policy: "p",
          targets: [{ kind: "snapshot", tags: { backup: "daily" } }],
          ...fields,
          ...changes,
        }),
      );
    write({});
    return {
      words: capture(file, ...from, ...argv).words,
      /** Returns the exit code of simulate after a change of the policy or of the arguments. */
      codeAfter(changes: object, ...changedArgv: string[]) {
        write(changes);
        return capture(file, ...from, ...argv, ...changedArgv).code;
      },
    };
  };

  test("simulate prints after which day no snapshot is created, but only if all later create requests fail", () => {
    const { words } = capture(`${SAMPLE_FOLDER}/too-many-v2.json`, ...from);
    expect(words).toContain("the first one on 2026-11-28. No snapshot is created after 2026-11-27.");
    // The snapshots of the last two days expire, so later requests succeed.
    const { words: recovering } = simulateV2({ retention: { keep_within_days: 2 } }, "--every", "4");
    expect(recovering).toContain("requests to create a snapshot fail");
    expect(recovering).not.toContain("No snapshot is created");
  });

  test("if the retention keeps too many snapshots, simulate advises how many to keep at most, and gives no advice on the prune interval", () => {
    const { words, codeAfter } = simulateV2({ retention: { keep_daily: 7, keep_weekly: 4 } });
    expect(words).toContain("The retention keeps up to 10 snapshots: keep at most 6.");
    expect(words).not.toMatch(/prune (more|at)/i);
    expect(codeAfter({ retention: { keep_daily: 6 } })).toBe(0);
    expect(codeAfter({ retention: { keep_daily: 7 } })).toBe(1);
  });

  test("if the prune interval is the only problem, simulate advises a shorter interval, and gives no advice on the retention", () => {
    const { words, codeAfter } = simulateV2({ retention: { keep_last: 3 } }, "--every", "4");
    expect(words).toContain("Prune every 4 hours: the policy then needs 4 snapshots.");
    expect(words).not.toContain("at most");
    expect(codeAfter({}, "--prune-every", "4h")).toBe(0);
    expect(codeAfter({})).toBe(1);
  });

  test("if the retention keeps too many snapshots and prune-snapshots runs too rarely, simulate advises to change both", () => {
    const { words, codeAfter } = simulateV2({ retention: { keep_last: 9 } }, "--every", "4");
    expect(words).toContain("The retention keeps up to 9 snapshots: keep at most 6, and prune every 4 hours.");
    expect(codeAfter({ retention: { keep_last: 6 } })).toBe(1);
    expect(codeAfter({ retention: { keep_last: 9 } }, "--prune-every", "4h")).toBe(1);
    expect(codeAfter({ retention: { keep_last: 6 } }, "--prune-every", "4h")).toBe(0);
  });

  test("if make_room finds no snapshot to delete, simulate advises how many snapshots to keep at most", () => {
    const { words, codeAfter } = simulateV2({ retention: { keep_daily: 9 }, make_room: true });
    expect(words).toMatch(/^Does not fit: the policy p needs 10 snapshots of the kind snapshot with make_room, and/);
    expect(words).toContain(
      "make_room finds no snapshot to delete, because the retention keeps all 7: keep at most 6.",
    );
    expect(codeAfter({ retention: { keep_daily: 6 } })).toBe(0);
  });
});

describe("the sentence about what was simulated", () => {
  const simulateWith = (...argv: string[]) =>
    capture(`${SAMPLE_FOLDER}/too-many-v2.json`, "--from", "2026-11-21", "--days", "20", ...argv).words;

  test("simulate prints the rules of the retention", () => {
    expect(simulateWith()).toContain("kept by keep_daily 7 and keep_weekly 4");
  });

  test.each([
    ["0 40 3 * * *", "prune-snapshots runs daily at 03:40 UTC."],
    ["CRON_TZ=Europe/Berlin 0 5 14 ? * *", "prune-snapshots runs daily at 14:05 Europe/Berlin."],
    ["0 0 */6 * * *", "prune-snapshots runs by the schedule 0 0 */6 * * *."],
    ["12h", "prune-snapshots runs every 12 hours."],
    ["1d", "prune-snapshots runs every day."],
  ])("simulate says for --prune-every %j: %s", (pruneEvery, sentence) => {
    expect(simulateWith("--prune-every", pruneEvery)).toContain(sentence);
  });
});

test("simulate does not name the kind of snapshot in the titles of its tables if the policy has only one kind", () => {
  const { text } = capture(`${SAMPLE_FOLDER}/too-many-v2.json`, "--days", "20");
  expect(text).not.toContain("(snapshot)");
  expect(text).toMatch(/^All 20 days, similar days in one row$/m);
});

/** Tests when `npm run simulate` prunes, and which snapshots it counts before a prune run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runSimulate } from "../../../../infra/local/simulate/command.ts";
import { describeExceededLimits, describePeak, formatRetained } from "../../../../infra/local/simulate/report.ts";
import { DEFAULT_PRUNE_EVERY, simulate } from "../../../../infra/local/simulate/simulate.ts";

const FROM = Date.parse("2026-11-21T02:00:00Z");
const plan = { from: FROM, days: 400, everyHours: 24 };

describe("the prune runs of simulate", () => {
  const policy = { policy: "p", retention: { keep_last: 3 } };
  const peaks = (days: number, more: object) =>
    simulate(policy, { from: FROM, days, everyHours: 24, ...more }).map(({ peak }) => peak);
  const leftAtNight = (days: number, more: object) =>
    simulate(policy, { from: FROM, days, everyHours: 24, ...more }).map(({ retained }) => retained.length);

  test("simulate counts the snapshots that exist before a prune run: 7 if a policy retains 3, creates 4 per day and is pruned once a day", () => {
    expect(peaks(4, { everyHours: 6 })).toEqual([4, 6, 7, 7]);
    expect(leftAtNight(4, { everyHours: 6 })).toEqual([4, 6, 6, 6]);
    expect(describePeak(simulate(policy, { from: FROM, days: 4, everyHours: 6 }))).toMatch(
      /^The number of snapshots reaches its maximum, 7, on 2026-11-23\./,
    );
  });

  test("simulate reports QuotaExceeded if a create request starts while 7 snapshots wait for the next prune run", () => {
    const exceeded = (more: object) =>
      describeExceededLimits(simulate(policy, { from: FROM, days: 10, everyHours: 24, ...more }), [
        { kind: "snapshot" },
      ]);
    expect(exceeded({ everyHours: 6 })).toEqual([]);
    expect(exceeded({ everyHours: 4 })).toEqual([
      expect.stringContaining("The policy retains 8 on 2026-11-22, so the next create"),
    ]);
    expect(exceeded({ pruneEvery: "0 0 9 * * 0" })).toEqual([expect.stringContaining("retains 7 on 2026-11-27")]);
    expect(exceeded({ pruneEvery: "3d" })).toEqual([]);
    expect(exceeded({ everyHours: 4, pruneEvery: "12h" })).toEqual([]);
  });

  test("simulate compares the number of standard snapshots of a disk with the limit of 256 before each prune run", () => {
    const hourly = { policy: "p", retention: { keep_last: 200 } };
    const exceeded = (pruneEvery: string) =>
      describeExceededLimits(simulate(hourly, { from: FROM, days: 20, everyHours: 1, pruneEvery }), [
        { kind: "standard-snapshot" },
      ]);
    expect(exceeded("2d")).toEqual([]);
    expect(exceeded("3d")).toEqual([expect.stringMatching(/retains 2[5-9]\d on 2026-12-/)]);
  });

  test("simulate reads a cron expression in the time zone of the policy, and CRON_TZ before the expression overrides it", () => {
    const tokyo = { ...policy, time_zone: "Asia/Tokyo", retention: { keep_last: 1 } };
    const deleted = (pruneEvery: string) =>
      simulate(tokyo, { from: FROM, days: 2, everyHours: 24, pruneEvery }).map((day) => day.deleted);
    // A snapshot is created at 11:00 in Tokyo.
    expect(deleted("0 0 12 * * *")).toEqual([0, 1]);
    expect(deleted("0 0 10 * * *")).toEqual([0, 0]);
    expect(deleted("CRON_TZ=UTC 0 0 3 * * *")).toEqual([0, 1]);
  });

  test("simulate shows which snapshots the next prune run deletes", () => {
    const days = simulate(policy, { from: FROM, days: 5, everyHours: 24, pruneEvery: "0 0 1 * * *" });
    expect(formatRetained(days).slice(-2)).toEqual([
      expect.stringMatching(/^2026-11-23 +keep_last$/),
      expect.stringMatching(/^2026-11-22 +\(deleted by the next prune run\)$/),
    ]);
  });

  test("by default, simulate prunes when Terraform starts prune-snapshots for a policy without prune_schedule", () => {
    const triggers = readFileSync(join(import.meta.dirname, "../../../../infra/terraform/triggers.tf"), "utf8");
    expect(triggers).toContain(`duplicates_schedule = "${DEFAULT_PRUNE_EVERY}"`);
    expect(simulate(policy, { from: FROM, days: 9, everyHours: 6 })).toEqual(
      simulate(policy, { from: FROM, days: 9, everyHours: 6, pruneEvery: DEFAULT_PRUNE_EVERY }),
    );
  });
});

test("simulate warns of QuotaExceeded if a policy retains 7 or more legacy snapshots of a disk, because EVS allows only 7", () => {
  const days = simulate({ policy: "p", retention: { keep_last: 9 } }, { ...plan, days: 30 });
  expect(describePeak(days)).toMatch(/^The number of snapshots reaches its maximum, 10, on 2026-11-30\./);
  expect(
    describeExceededLimits(days, [{ kind: "snapshot" }, { kind: "snapshot" }, { kind: "cluster-snapshot" }]),
  ).toEqual([
    expect.stringContaining("A disk can have 7 snapshots of the kind snapshot. The policy retains 7 on 2026-11-27"),
  ]);
  expect(describeExceededLimits(days, [{ kind: "standard-snapshot" }])).toEqual([]);
  expect(
    describeExceededLimits(simulate({ policy: "p", retention: { keep_last: 6 } }, plan), [{ kind: "snapshot" }]),
  ).toEqual([]);
});

test("simulate warns of QuotaExceeded if a policy retains 256 standard snapshots or group members of a disk, or 7 of them with instant access", () => {
  const days = simulate({ policy: "p", retention: { keep_last: 256 } }, plan);
  const [standard, group] = [{ kind: "standard-snapshot" }, { kind: "snapshot-group" }] as const;
  expect(describeExceededLimits(days, [standard, group])).toEqual([
    expect.stringContaining(
      "A disk can have 256 snapshots of the kind standard-snapshot. The policy retains 256 on 2027-08-03",
    ),
    expect.stringContaining(
      "A disk can have 256 snapshots of the kind snapshot-group. The policy retains 256 on 2027-08-03",
    ),
  ]);
  expect(describeExceededLimits(days, [{ ...group, instant_access: true }])).toEqual([
    expect.stringContaining(
      "A disk can have 7 snapshots of the kind snapshot-group with instant access. The policy retains 7 on 2026-11-27",
    ),
  ]);
  const fewer = simulate({ policy: "p", retention: { keep_last: 255 } }, plan);
  expect(describeExceededLimits(fewer, [standard, group, { kind: "cluster-snapshot" }])).toEqual([]);
});

describe("the command simulate", () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), "simulate-"));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  };

  test("simulate prunes at the times in --prune-every", () => {
    const file = join(folder(), "policy.json");
    writeFileSync(
      file,
      JSON.stringify({
        policy: "nightly",
        retention: { keep_last: 3 },
        targets: [{ kind: "snapshot", tags: { a: "b" } }],
      }),
    );
    const run = (...argv: string[]) => {
      const printed: string[] = [];
      const exceeded = runSimulate([file, "--from", "2026-11-21", "--days", "20", ...argv], (line) =>
        printed.push(line),
      );
      return { exceeded, text: printed.join("\n") };
    };
    expect(run().text).toContain("The number of snapshots reaches its maximum, 4, on 2026-11-24.");
    expect(run().exceeded).toEqual([]);
    for (const every of ["0 30 4 * * MON", "7d"]) {
      const weekly = run("--prune-every", every);
      expect(weekly.exceeded).toEqual([
        expect.stringContaining("QuotaExceeded. Retain fewer snapshots, or prune more often."),
      ]);
      expect(weekly.text).toMatch(/reaches its maximum, (10|11), on /);
    }
  });

  test("simulate warns of a retention that only counts snapshots if callers create the snapshots of the policy", () => {
    const file = join(folder(), "policy.json");
    const textOf = (policy: object) => {
      writeFileSync(file, JSON.stringify(policy));
      const printed: string[] = [];
      expect(runSimulate([file, "--days", "3"], (line) => printed.push(line))).toEqual([]);
      return printed.join("\n");
    };
    expect(textOf({ policy: "pre-deploy", retention: { keep_last: 3 } })).toContain(
      "Warning: retention: the rules of the policy pre-deploy only count snapshots",
    );
    expect(textOf({ policy: "pre-deploy", retention: { keep_last: 3, keep_within_days: 7 } })).not.toContain("Warning");
    expect(textOf({ policy: "nightly", retention: { keep_last: 3 } })).not.toContain("Warning");
  });
});

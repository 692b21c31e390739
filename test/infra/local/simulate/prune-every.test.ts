/** Tests when `npm run simulate` prunes, and which snapshots it counts before a prune run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { peakOf, simulateKinds } from "../../../../infra/local/simulate/kinds.ts";
import { formatRetained } from "../../../../infra/local/simulate/report.ts";
import { DEFAULT_PRUNE_EVERY, simulate } from "../../../../infra/local/simulate/simulate.ts";
import type { Selector } from "../../../../shared/snapshots/policy.ts";
import { capture } from "./captured.ts";

const FROM = Date.parse("2026-11-21T02:00:00Z");
const plan = { from: FROM, days: 400, everyHours: 24 };

/** Returns the days on which create requests of the kind that fails most often fail. */
const failedDays = (...parameters: Parameters<typeof simulateKinds>): string[] =>
  (simulateKinds(...parameters)[0]?.days ?? []).filter(({ failed }) => failed > 0).map(({ day }) => day);

describe("the prune runs of simulate", () => {
  const policy = { policy: "p", retention: { keep_last: 3 } };
  const peaks = (days: number, more: object) =>
    simulate(policy, { from: FROM, days, everyHours: 24, ...more }).map(({ peak }) => peak);
  const leftAtNight = (days: number, more: object) =>
    simulate(policy, { from: FROM, days, everyHours: 24, ...more }).map(({ retained }) => retained.length);

  test("simulate counts the snapshots that exist before a prune run: 7 if a policy retains 3, creates 4 per day and is pruned once a day", () => {
    expect(peaks(4, { everyHours: 6 })).toEqual([4, 6, 7, 7]);
    expect(leftAtNight(4, { everyHours: 6 })).toEqual([4, 6, 6, 6]);
    expect(peakOf(simulate(policy, { from: FROM, days: 4, everyHours: 6 }))).toBe(7);
  });

  test("simulate reports QuotaExceeded if a create request starts while 7 snapshots wait for the next prune run", () => {
    const failures = (more: object) =>
      failedDays({ ...policy, targets: [{ kind: "snapshot" }] }, { from: FROM, days: 10, everyHours: 24, ...more });
    expect(failures({ everyHours: 6 })).toEqual([]);
    expect(failures({ everyHours: 4 })[0]).toBe("2026-11-22");
    expect(failures({ pruneEvery: "0 0 9 * * 0" })).toEqual(["2026-11-28", "2026-11-29"]);
    expect(failures({ pruneEvery: "3d" })).toEqual([]);
    expect(failures({ everyHours: 4, pruneEvery: "12h" })).toEqual([]);
  });

  test("simulate compares the number of standard snapshots of a disk with the limit of 256 before each prune run", () => {
    const hourly = { policy: "p", retention: { keep_last: 200 }, targets: [{ kind: "standard-snapshot" as const }] };
    const failures = (pruneEvery: string) =>
      failedDays(hourly, { from: FROM, days: 20, everyHours: 1, pruneEvery }).length;
    expect(failures("2d")).toBe(0);
    expect(failures("3d")).toBeGreaterThan(0);
  });

  test("simulate reads a cron expression in the time zone of the policy, unless the expression begins with CRON_TZ", () => {
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
    expect(formatRetained(days.at(-1)?.retained ?? [], true, 100).slice(-2)).toEqual([
      expect.stringMatching(/^2026-11-23 to 2026-11-25 +3 +keep_last$/),
      expect.stringMatching(/^2026-11-22 +1 +\(deleted by the next prune run\)$/),
    ]);
  });

  test("by default, simulate prunes at the times at which Terraform starts prune-snapshots for a policy without prune_schedule", () => {
    const triggers = readFileSync(join(import.meta.dirname, "../../../../infra/terraform/triggers.tf"), "utf8");
    expect(triggers).toContain(`duplicates_schedule = "${DEFAULT_PRUNE_EVERY}"`);
    expect(simulate(policy, { from: FROM, days: 9, everyHours: 6 })).toEqual(
      simulate(policy, { from: FROM, days: 9, everyHours: 6, pruneEvery: DEFAULT_PRUNE_EVERY }),
    );
  });
});

describe("the limits of simulate", () => {
  /** Returns the kinds that fail and the kinds that fit, for a policy that keeps a number of snapshots. */
  const check = (keep_last: number, targets: Selector[], days = 400) => {
    const results = simulateKinds({ policy: "p", retention: { keep_last }, targets }, { ...plan, days });
    const labels = (isFailing: boolean) =>
      results.filter(({ failed }) => failed > 0 === isFailing).flatMap((result) => result.labels);
    return { fails: labels(true), fits: labels(false), results };
  };

  test("simulate reports QuotaExceeded if a policy retains 7 or more legacy snapshots of a disk, because EVS allows only 7", () => {
    const targets: Selector[] = [
      { kind: "cluster-snapshot" },
      { kind: "snapshot" },
      { kind: "snapshot", tags: { a: "b" } },
    ];
    const { fails, fits, results } = check(9, targets, 30);
    expect([fails, fits]).toEqual([["snapshot"], ["cluster-snapshot"]]);
    expect(results[0]).toMatchObject({ limit: 7, peak: 10, failed: 23, requests: 30 });
    // All 7 snapshots are among the 9 newest ones, so no prune run deletes one of them, and no later create request succeeds.
    expect(results[0]?.days.map(({ retained }) => retained.length).slice(5, 9)).toEqual([6, 7, 7, 7]);
    expect(check(6, targets).fails).toEqual([]);
  });

  test("simulate reports QuotaExceeded if a policy retains 256 standard snapshots or group members of a disk, or 7 of them with instant access", () => {
    const [standard, group] = [{ kind: "standard-snapshot" }, { kind: "snapshot-group" }] as const;
    expect(check(256, [standard, group]).fails).toEqual(["standard-snapshot", "snapshot-group"]);
    expect(check(255, [standard, group, { kind: "cluster-snapshot" }]).fails).toEqual([]);
    expect(check(7, [{ ...group, instant_access: true }]).fails).toEqual(["snapshot-group with instant access"]);
    expect(check(6, [{ ...group, instant_access: true }]).fails).toEqual([]);
  });
});

describe("make_room in simulate", () => {
  const policy = {
    policy: "p",
    make_room: true,
    retention: { keep_last: 2 },
    targets: [{ kind: "snapshot" as const }],
  };
  const every4Hours = { from: FROM, days: 10, everyHours: 4 };

  test("with make_room, simulate reports no failed create request for a policy that fails without make_room, and at most 7 snapshots of a disk", () => {
    const { make_room: _, ...without } = policy;
    expect(simulateKinds(without, every4Hours)[0]?.failed).toBeGreaterThan(0);
    const [result] = simulateKinds(policy, every4Hours);
    expect(result).toMatchObject({ failed: 0, requests: 60, makesRoom: true });
    expect(Math.max(...(result?.days ?? []).map(({ peak }) => peak))).toBe(7);
  });

  test("if the retention keeps all 7 snapshots of a disk, simulate with make_room reports failed create requests", () => {
    const [result] = simulateKinds({ ...policy, retention: { keep_last: 7 } }, every4Hours);
    expect(result?.failed).toBe(53);
  });

  test("simulate makes no room for standard snapshots with instant access, because scheduled-snapshots makes room only for legacy snapshots", () => {
    const targets = [{ kind: "standard-snapshot" as const, instant_access: true }, ...policy.targets];
    const [instant, legacy] = simulateKinds({ ...policy, targets }, every4Hours);
    expect(instant).toMatchObject({ labels: ["standard-snapshot with instant access"], makesRoom: false });
    expect(instant?.failed).toBeGreaterThan(0);
    expect(legacy).toMatchObject({ labels: ["snapshot"], failed: 0 });
  });
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
    const run = (...argv: string[]) => capture(file, "--from", "2026-11-21", "--days", "20", ...argv);
    const verdict = (fits: string, count: string) =>
      expect.stringMatching(
        `^${fits}: the policy nightly needs ${count} snapshots of the kind snapshot, and the limit is 7`,
      );
    expect(run()).toMatchObject({ code: 0, words: verdict("Fits", "4") });
    for (const every of ["0 30 4 * * MON", "7d"]) {
      const weekly = run("--prune-every", every);
      expect(weekly).toMatchObject({ code: 1, words: verdict("Does not fit", "(10|11)") });
      expect(weekly.words).toContain("fail with QuotaExceeded");
      expect(weekly.words).toContain("Prune every 24 hours: the policy then needs 4 snapshots.");
    }
  });

  test("if callers create the snapshots of a policy, simulate warns of a retention without a rule that depends on time", () => {
    const file = join(folder(), "policy.json");
    const textOf = (policy: object) => {
      writeFileSync(file, JSON.stringify(policy));
      const { code, words } = capture(file, "--days", "3");
      expect(code).toBe(0);
      return words;
    };
    expect(textOf({ policy: "pre-deploy", retention: { keep_last: 3 } })).toContain(
      "Warning: retention: the rules of the policy pre-deploy only count snapshots",
    );
    expect(textOf({ policy: "pre-deploy", retention: { keep_last: 3, keep_within_days: 7 } })).not.toContain("Warning");
    expect(textOf({ policy: "nightly", retention: { keep_last: 3 } })).not.toContain("Warning");
  });
});

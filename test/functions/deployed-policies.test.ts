/** Tests what `verify-snapshots` and `prune-snapshots` report about the policies that Terraform deployed. */
import { describe, expect, test } from "vitest";
import { KINDS } from "../support/common.ts";
import { createFixture as createPruneFixture, keepLast } from "../support/prunes.ts";
import { createFixture, seedSnapshot } from "../support/verifications.ts";

const DAILY = { schedule: "CRON_TZ=UTC 0 0 2 * * *" };
/** Returns the variables of a function. The clock of a test environment starts at 2026-11-21T02:00:00Z. */
const deployed = (policies: object) => ({ variables: { DEPLOYED_POLICIES: JSON.stringify(policies) } });

describe("verify-snapshots", () => {
  /** Verifies with these deployed policies, and returns the record of the run. */
  async function verifyWith(policies: object, seeds: [(typeof KINDS)[number], object?][] = []) {
    const { cloud, resourceIds, verify } = await createFixture(deployed(policies));
    for (const [kind, one] of seeds) seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 30, ...one });
    const { error, records } = await verify();
    expect(error).toBeUndefined();
    return records.at(-1);
  }

  test("if a deployed policy has no snapshot, the run record of verify-snapshots names the policy, the time of its first run, and what to check", async () => {
    const record = await verifyWith({ nightly: { kinds: ["snapshot"], ...DAILY, since: "2026-11-18T12:00:00Z" } });
    expect(record).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(record.detail).toBe(
      "Deployment check: the policy nightly should have a snapshot of the kind snapshot since its first run at 2026-11-19T02:00:00.000Z, but the list contains none. Check the records of scheduled-snapshots for this policy, its timer, its targets, and the variables PROJECT_ID and *_ENDPOINT.",
    );
  });

  test("verify-snapshots reports each kind of snapshot that a deployed policy should have but does not have", async () => {
    const nightly = { kinds: [...KINDS], ...DAILY, since: "2026-11-18T12:00:00Z" };
    const { detail } = await verifyWith({ nightly }, [["snapshot"], ["cluster-snapshot"]]);
    expect(detail).toContain("of the kind standard-snapshot and one of the kind snapshot-group since");
    expect(
      await verifyWith(
        { nightly },
        KINDS.map((kind) => [kind]),
      ),
    ).not.toHaveProperty("detail");
  });

  test("verify-snapshots reports a policy without snapshots even if another policy, or a backup with a copied marker, has a snapshot", async () => {
    const nightly = { kinds: ["snapshot"], ...DAILY, since: "2026-11-18T12:00:00Z" };
    for (const seed of [{ policy: "weekly" }, { name: "autobk_snapshot_1" }]) {
      expect((await verifyWith({ nightly }, [["snapshot", seed]])).detail).toContain("the policy nightly should have");
    }
  });

  test("verify-snapshots does not warn about a policy without snapshots until an hour after the first run of this policy", async () => {
    const { clock, verify } = await createFixture(
      deployed({ nightly: { kinds: ["snapshot"], ...DAILY, since: "2026-11-20T02:00:00Z" } }),
    );
    const detailAt = async (time: string) => {
      clock.set(time);
      return (await verify({}, time)).records.at(-1).detail;
    };
    expect(await detailAt("2026-11-21T02:00:00Z")).toBeUndefined();
    expect(await detailAt("2026-11-21T02:59:59Z")).toBeUndefined();
    expect(await detailAt("2026-11-21T03:00:00Z")).toContain("since its first run at 2026-11-21T02:00:00.000Z");
  });

  test.each([
    [
      "contains the letter L, which nextRun does not support",
      { schedule: "CRON_TZ=UTC 0 0 2 L * *", since: "2026-11-20T12:00:00Z" },
    ],
    ["has an unknown time zone", { schedule: "CRON_TZ=Mars/Olympus 0 0 2 * * *", since: "2026-11-20T12:00:00Z" }],
    ["has a deployment time in the future", { ...DAILY, since: "2027-11-20T12:00:00Z" }],
  ])(
    "if the schedule of a policy without snapshots %s, verify-snapshots reports the policy at once",
    async (_what, runs) => {
      expect((await verifyWith({ nightly: { kinds: ["snapshot"], ...runs } })).detail).toContain(
        "the policy nightly should have",
      );
    },
  );

  test("verify-snapshots does not warn about missing snapshots of a policy without a schedule, such as the policy pre-deploy", async () => {
    const record = await verifyWith({ "pre-deploy": { kinds: [...KINDS] }, "disk-attached": { kinds: [] } });
    expect(record.level).toBe("info");
    expect(record).not.toHaveProperty("detail");
  });

  test("if the snapshots of a kind cannot be listed, verify-snapshots does not warn that a policy has no snapshot of this kind", async () => {
    const { cloud, verify } = await createFixture(
      deployed({ nightly: { kinds: ["snapshot"], ...DAILY, since: "2026-11-18T12:00:00Z" } }),
    );
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "status", status: 403, body: {} });
    const { records } = await verify();
    expect(records.at(-1)).toMatchObject({ outcome: "failed", level: "error" });
    expect(records.at(-1)).not.toHaveProperty("detail");
  });

  test.each<[string, string | undefined, string]>([
    ["is not JSON", "{", 'got "{"'],
    ["is an array", "[]", 'got "[]"'],
    ["is null", "null", 'got "null"'],
    ["contains a policy without kinds", '{"nightly":{}}', "got "],
    ["contains an unknown kind", '{"nightly":{"kinds":["snapshots"]}}', "got "],
    ["contains a schedule without its time", '{"nightly":{"kinds":[],"schedule":"0 0 2 * * *"}}', "got "],
    ["contains a time without a schedule", '{"nightly":{"kinds":[],"since":"2026-11-18T12:00:00Z"}}', "got "],
    ["contains a time that cannot be read", '{"nightly":{"kinds":[],"schedule":"0 0 2 * * *","since":"soon"}}', "got "],
    ["contains a string instead of a policy", '{"nightly":"snapshot"}', "got "],
  ])(
    "if DEPLOYED_POLICIES %s, verify-snapshots writes a warning and still verifies the snapshots",
    async (_what, DEPLOYED_POLICIES, got) => {
      const { cloud, resourceIds, verify } = await createFixture({ variables: { DEPLOYED_POLICIES } });
      seedSnapshot(cloud, "snapshot", resourceIds.snapshot, { minutes: 30 });
      const { error, records } = await verify();
      expect(error).toBeUndefined();
      expect(records).toMatchObject([{ outcome: "available" }, { action: "run", outcome: "done", level: "warn" }]);
      expect(records.at(-1).detail).toMatch(/^Deployment check: DEPLOYED_POLICIES: expected a JSON object such as /);
      expect(records.at(-1).detail).toContain(got);
      expect(records.at(-1).detail).toContain("It is unknown which policies are deployed");
    },
  );

  test("verify-snapshots does not warn of missing snapshots if DEPLOYED_POLICIES is not set", async () => {
    const { verify } = await createFixture({ variables: { DEPLOYED_POLICIES: undefined } });
    const { error, records } = await verify();
    expect(error).toBeUndefined();
    expect(records).toMatchObject([{ action: "run", outcome: "done", level: "info" }]);
  });
});

describe("prune-snapshots", () => {
  /** Prunes with these deployed policies, and returns the record of the run. */
  async function pruneWith(policies: object | undefined, policy: object, names: string[]) {
    const { addOld, prune, remainingIds } = await createPruneFixture(policies === undefined ? {} : deployed(policies));
    const ids = names.map((name) => addOld("snapshot", 2, { policy: name }));
    const { error, records } = await prune(policy);
    expect(error).toBeUndefined();
    expect(remainingIds()).toEqual(ids.sort());
    return records.at(-1);
  }

  test("if no snapshot has the policy of a run, the run record of prune-snapshots contains a warning that names the existing policies", async () => {
    const record = await pruneWith({ weekly: { kinds: ["snapshot"] } }, { ...keepLast(1), policy: "nightyl" }, [
      "nightly",
      "hourly",
      "nightly",
    ]);
    expect(record).toMatchObject({ action: "run", outcome: "done", level: "warn", policy: "nightyl" });
    expect(record.detail).toBe(
      'policy: no snapshot has the policy "nightyl", so nothing was deleted. Policies that exist: "hourly", "nightly", "weekly". Correct the name, or remove the timer.',
    );
  });

  test("prune-snapshots also warns of a policy without snapshots if only letter case is wrong in the name, in a dry run, without a retention, or in an empty project", async () => {
    for (const policy of [
      { ...keepLast(1), policy: "Nightly" },
      { ...keepLast(1), policy: "nightlies", dry_run: true },
      { policy: "nightlies" },
    ]) {
      expect((await pruneWith(undefined, policy, ["nightly"])).detail).toContain('Policies that exist: "nightly".');
    }
    expect((await pruneWith(undefined, keepLast(1), [])).detail).toContain("No snapshot has a policy.");
  });

  test("if no snapshot has the policy of a run, the warning of prune-snapshots names at most 20 existing policies", async () => {
    const names = Array.from({ length: 23 }, (_, index) => `policy-${String(index).padStart(2, "0")}`);
    const { detail } = await pruneWith(undefined, keepLast(1), names);
    expect(detail).toContain('"policy-00", "policy-01"');
    expect(detail).toContain('"policy-19" and 3 more.');
    expect(detail).not.toContain("policy-20");
  });

  test("prune-snapshots does not warn if its policy has snapshots, or if its policy is deployed but has no snapshot yet", async () => {
    const nightly = { kinds: ["snapshot"] };
    expect(await pruneWith({ nightly }, keepLast(1), ["weekly"])).not.toHaveProperty("detail");
    expect(await pruneWith(undefined, keepLast(1), ["nightly", "weekly"])).not.toHaveProperty("detail");
  });

  test("if DEPLOYED_POLICIES cannot be read, prune-snapshots writes a warning and still deletes snapshots", async () => {
    const { addOld, prune, remainingIds } = await createPruneFixture({ variables: { DEPLOYED_POLICIES: "{" } });
    const [newest] = [addOld("snapshot", 1), addOld("snapshot", 2)];
    const { records } = await prune(keepLast(1));
    expect(remainingIds()).toEqual([newest]);
    expect(records.at(-1)).toMatchObject({ outcome: "done", level: "warn" });
    expect(records.at(-1).detail).toMatch(/^Deployment check: DEPLOYED_POLICIES: expected /);
  });
});

/** Checks the values of the alarms in a plan, and the records that the alarms match. */
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../../functions/verify-snapshots/handler.ts";
import { createFixture } from "../../support/coverage-fixture.ts";
import { createTestEnvironment, type Invoked, type TestEnvironment, timerEvent } from "../../support/environment.ts";
import { finds } from "./keywords.ts";
import { DEPLOYMENT, planned, TOPIC } from "./planned.ts";

describe("the alarms of the Terraform module", () => {
  test("the Terraform module has an alarm that notifies its topic within minutes after a function logs a failure record", async () => {
    const { the } = await planned();
    expect(the("lts_keywords_alarm_rule", "snapshots-failed")).toMatchObject({
      alarm_level: "CRITICAL",
      send_notifications: true,
      send_recovery_notifications: true,
      notification_frequency: 30,
      trigger_condition_count: 1,
      trigger_condition_frequency: 1,
      keywords_requests: [
        {
          condition: ">=",
          number: 1,
          log_group_id: "<huaweicloud_lts_group.this.id>",
          log_stream_id: "<huaweicloud_lts_stream.results.id>",
          log_stream_name: "results",
          search_time_range_unit: "minute",
          search_time_range: 15,
        },
      ],
      frequency: [{ type: "FIXED_RATE", fixed_rate_unit: "minute", fixed_rate: 5 }],
      notification_save_rule: [
        {
          template_name: "keywords_template",
          user_name: "<data.huaweicloud_account.this.username>",
          language: "en-us",
          topics: [{ name: "ops", topic_urn: TOPIC }],
        },
      ],
    });
  });

  test.each([
    // If a run is expected every hour or every day, LTS queries the records every hour, and the alarm fires after two consecutive
    // queries that find no run. If a run is expected every week, LTS queries the records every day, and the alarm fires after eight
    // consecutive queries that find no run.
    ["snapshots-policy-nightly-silent", 24, 2, { type: "HOURLY", hour_of_day: null }],
    ["snapshots-prune-nightly-silent", 24, 2, { type: "HOURLY", hour_of_day: null }],
    // A timer that only deletes duplicates starts every day, also for a weekly policy.
    ["snapshots-prune-weekly-silent", 24, 2, { type: "HOURLY", hour_of_day: null }],
    ["snapshots-prune-pre-deploy-silent", 24, 2, { type: "HOURLY", hour_of_day: null }],
    ["snapshots-policy-weekly-silent", 24, 8, { type: "DAILY", hour_of_day: 12 }],
    ["snapshots-verify-silent", 1, 2, { type: "HOURLY", hour_of_day: null }],
  ])(
    "the alarm %s of the Terraform module queries the last %i h of records and notifies after %i consecutive queries that find no run",
    async (name, hours, queries, frequency) => {
      const { the } = await planned();
      expect(the("lts_keywords_alarm_rule", name)).toMatchObject({
        notification_frequency: 360,
        trigger_condition_count: queries,
        trigger_condition_frequency: queries,
        keywords_requests: [{ condition: "<", number: 1, search_time_range_unit: "hour", search_time_range: hours }],
        frequency: [frequency],
        notification_save_rule: [{ topics: [{ topic_urn: TOPIC }] }],
      });
    },
  );

  test("the Terraform module has alarms on unprotected resources and on missing reports if it deploys report-coverage", async () => {
    const { the, of } = await planned({ functions: ["report-coverage"], gateway: undefined });
    expect(the("lts_keywords_alarm_rule", "snapshots-unprotected")).toMatchObject({
      trigger_condition_count: 1,
      notification_frequency: 360,
      keywords_requests: [{ condition: ">=", number: 1, search_time_range_unit: "hour", search_time_range: 24 }],
      frequency: [{ type: "HOURLY" }],
    });
    expect(the("lts_keywords_alarm_rule", "snapshots-coverage-silent")).toMatchObject({
      trigger_condition_count: 2,
      keywords_requests: [{ condition: "<", number: 1, search_time_range_unit: "hour", search_time_range: 24 }],
    });
    expect(JSON.parse(the("fgs_function_trigger", "coverage").event_data)).toEqual({
      name: "coverage",
      schedule_type: "Cron",
      schedule: "CRON_TZ=UTC 0 0 7 * * *",
      user_event: "{}",
    });
    expect(of("apig_api")).toEqual([]);
    // The function only reads, so the module expects no snapshots of it and no duplicates.
    expect(of("fgs_function_trigger", "duplicates_report_coverage")).toEqual([]);
    expect(the("fgs_function", "report-coverage")).toMatchObject({ memory_size: 256, timeout: 300 });
    const { policy } = the("identity_role", "report-coverage");
    expect(policy).not.toMatch(/create|delete|update|invoke/i);
  });

  test.each([
    [1, 2],
    [12, 13],
    [24, 24],
    [168, 24],
    [0, 24],
  ])(
    "with coverage.every_hours = %i, the alarm on unprotected resources queries the last %i h of records",
    async (every_hours, hours) => {
      const { the } = await planned({ functions: ["report-coverage"], gateway: undefined, coverage: { every_hours } });
      const [request] = the("lts_keywords_alarm_rule", "snapshots-unprotected").keywords_requests;
      expect([request.search_time_range_unit, request.search_time_range]).toEqual(["hour", hours]);
    },
  );

  test("the Terraform module has an alarm on missing runs for each timer, and an alarm on failures", async () => {
    const { of } = await planned();
    expect(of("lts_keywords_alarm_rule").map(({ name }) => name)).toEqual([
      "snapshots-failed",
      "snapshots-policy-nightly-silent",
      "snapshots-policy-weekly-silent",
      "snapshots-prune-disk-attached-silent",
      "snapshots-prune-nightly-silent",
      "snapshots-prune-pre-deploy-silent",
      "snapshots-prune-weekly-silent",
      "snapshots-verify-silent",
    ]);
    expect(of("fgs_function_trigger").filter(({ type }) => type === "TIMER")).toHaveLength(7);
  });

  test("the alarm on failures matches the record of a run that selects no resource, but not the record of a dry run", async () => {
    const { the } = await planned();
    const [{ keywords }] = the("lts_keywords_alarm_rule", "snapshots-failed").keywords_requests;
    const { cloud, invoke } = await createTestEnvironment();
    cloud.addVolume({ tags: { backup: "daily" } });
    const run = async (changes: object) => {
      const { records } = await invoke(
        scheduledSnapshots,
        timerEvent({ policy: "nightly", targets: DEPLOYMENT.policies.nightly.targets, ...changes }),
      );
      expect(records.length).toBeGreaterThan(0);
      return records.filter((record) => finds(keywords, JSON.stringify(record)));
    };
    const misspelt = [{ kind: "standard-snapshot", tags: { backup: "dayly" } }];
    expect(await run({ targets: misspelt })).toEqual([
      expect.objectContaining({ action: "run", outcome: "done", level: "warn" }),
    ]);
    expect(await run({})).toEqual([]);
    expect(await run({ dry_run: true })).toEqual([]);
  });

  test.each([["unprotected, failing"], [["failing", "stale", "unprotected"]], [null]])(
    "the Terraform module accepts coverage.states = %j, because this value includes the states for which the alarm fires",
    async (states) => {
      await planned({ functions: ["report-coverage"], gateway: undefined, coverage: { states } });
    },
  );

  test("the alarm on failures fires if the tags of a report's timer select nothing, but not if the tags in a caller's request select nothing", async () => {
    const { the } = await planned();
    const [{ keywords }] = the("lts_keywords_alarm_rule", "snapshots-failed").keywords_requests;
    const { addDisk, timer, get } = await createFixture();
    addDisk("disk", [], { tags: { backup: "daily" } });
    const rings = ({ records }: Invoked) => records.some((record) => finds(keywords, JSON.stringify(record)));
    expect(rings(await timer({ tags: { backup: "dayly" } }))).toBe(true);
    expect(rings(await timer({ tags: { backup: "daily" } }))).toBe(false);
    expect(rings(await get({ tags: "backup=dayly" }))).toBe(false);
  });

  /** Runs a function with the variables that a deployment sets. Returns the run's record, and whether the alarm matches it. */
  async function runDeployed(
    { cloud, invoke }: Pick<TestEnvironment, "cloud" | "invoke">,
    name: "verify-snapshots" | "prune-snapshots",
    since: string,
    changes: object = {},
  ) {
    const { the } = await planned(changes);
    const [{ keywords }] = the("lts_keywords_alarm_rule", "snapshots-failed").keywords_requests;
    const { DEPLOYED_POLICIES } = JSON.parse(the("fgs_function", name).user_data);
    const unescaped = JSON.stringify(JSON.parse(DEPLOYED_POLICIES));
    const variables = { DEPLOYED_POLICIES: unescaped.replace(/<terraform_data[^>]*>/g, since) };
    const [factory, body] =
      name === "verify-snapshots" ? [verifySnapshots, {}] : [pruneSnapshots, { policy: "pre-deploy" }];
    const { records } = await invoke(factory, timerEvent(body), { variables });
    const record = records.at(-1);
    expect(record).toMatchObject({ action: "run", outcome: "done" });
    expect(cloud.snapshots()).toEqual([]);
    return { record, rings: finds(keywords, JSON.stringify(record)) };
  }

  test("the alarm on failures fires if verify-snapshots finds no snapshot although the first run of a deployed policy is in the past", async () => {
    const environment = await createTestEnvironment();
    const { record, rings } = await runDeployed(environment, "verify-snapshots", "2026-11-19T03:00:00Z");
    expect(rings).toBe(true);
    expect(record.detail).toContain(
      "the policy nightly should have a snapshot of the kind standard-snapshot since its first run at 2026-11-20T02:00:00.000Z",
    );
    // The policy weekly creates snapshots on Sundays, and 21 November 2026 is a Saturday.
    expect(record.detail).not.toContain("weekly");
  });

  test("the alarm on failures does not fire if verify-snapshots finds no snapshot before the first run of the deployed policies", async () => {
    const environment = await createTestEnvironment();
    const { record, rings } = await runDeployed(environment, "verify-snapshots", "2026-11-20T03:00:00Z");
    expect([record.level, rings]).toEqual(["info", false]);
  });

  const DWS_MISSING = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });

  test.each(["verify-snapshots", "prune-snapshots"] as const)(
    "the alarm on failures fires if %s cannot list a kind of snapshot that a deployed policy, the gate or a create function needs",
    async (name) => {
      const { weekly, ...policies } = DEPLOYMENT.policies;
      for (const [changes, user] of [
        [{ policies: { weekly }, functions: [] }, "weekly"],
        [{ policies, functions: ["pre-deploy"] }, "pre-deploy"],
        [{ policies, functions: ["create-cluster-snapshot"] }, "create-cluster-snapshot"],
      ] as const) {
        const environment = await createTestEnvironment();
        environment.cloud.fault({ operation: "dws.listSnapshots" }, { type: "answer", status: 404, body: DWS_MISSING });
        const { record, rings } = await runDeployed(environment, name, "2026-11-20T03:00:00Z", changes);
        expect(rings).toBe(true);
        expect(record.detail).toContain(
          `cluster-snapshot: the endpoint does not offer these snapshots (404 APIGW.0101), so they were not listed. These deployed policies or functions create them: "${user}".`,
        );
      }
    },
  );

  test.each(["verify-snapshots", "prune-snapshots"] as const)(
    "if the region does not offer a kind of snapshot that nothing deployed needs, %s writes no warning and the alarm on failures does not fire",
    async (name) => {
      const { nightly } = DEPLOYMENT.policies;
      const gateway = { ...DEPLOYMENT.gateway, kinds: ["snapshot", "standard-snapshot", "snapshot-group"] };
      const environment = await createTestEnvironment();
      environment.cloud.fault({ operation: "dws.listSnapshots" }, { type: "answer", status: 404, body: DWS_MISSING });
      const changes = { policies: { nightly }, gateway };
      const { record, rings } = await runDeployed(environment, name, "2026-11-20T03:00:00Z", changes);
      expect([record.level, record.detail, rings]).toEqual(["info", undefined, false]);
    },
  );

  test("the alarm on failures ignores the warning of prune-snapshots about an id in hold that does not exist", async () => {
    const { the } = await planned();
    const [{ keywords }] = the("lts_keywords_alarm_rule", "snapshots-failed").keywords_requests;
    const { invoke } = await createTestEnvironment();
    const policy = { policy: "nightly", hold: ["no-such-snapshot"], retention: { keep_daily: 1 } };
    const { records } = await invoke(pruneSnapshots, timerEvent(policy));
    expect(records.at(-1)).toMatchObject({ level: "warn", detail: expect.stringContaining("hold: ") });
    expect(records.filter((record) => finds(keywords, JSON.stringify(record)))).toEqual([]);
  });

  test("the Terraform module sets alarm.user_name as the user of alarm notifications", async () => {
    const { the } = await planned({ alarm: { topic_urn: TOPIC, user_name: "operator" } });
    const [{ user_name }] = the("lts_keywords_alarm_rule", "snapshots-failed").notification_save_rule;
    expect(user_name).toBe("operator");
  });
});

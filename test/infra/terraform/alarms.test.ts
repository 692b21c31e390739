/** Checks the values of the alarms in a plan, and the records that the alarms match. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../../functions/verify-snapshots/handler.ts";
import { createTestEnvironment, timerEvent } from "../../support/environment.ts";
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

  test("the alarm on failures ignores the warning about a kind of snapshot that the region does not offer", async () => {
    const { the } = await planned();
    const [{ keywords }] = the("lts_keywords_alarm_rule", "snapshots-failed").keywords_requests;
    const { cloud, invoke } = await createTestEnvironment();
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    cloud.fault({ operation: "dws.listSnapshots" }, { type: "answer", status: 404, body });
    const { records } = await invoke(verifySnapshots, timerEvent({}));
    expect(records).toMatchObject([
      {
        action: "run",
        level: "warn",
        detail: expect.stringContaining("cluster-snapshot: the endpoint does not offer"),
      },
    ]);
    expect(records.filter((record) => finds(keywords, JSON.stringify(record)))).toEqual([]);
  });

  test("the Terraform module sets alarm.user_name as the user of alarm notifications", async () => {
    const { the } = await planned({ alarm: { topic_urn: TOPIC, user_name: "operator" } });
    const [{ user_name }] = the("lts_keywords_alarm_rule", "snapshots-failed").notification_save_rule;
    expect(user_name).toBe("operator");
  });
});

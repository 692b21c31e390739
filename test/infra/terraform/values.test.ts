/** Checks planned values that operators rely on: variables, timeouts, retries, timers, permissions and APIs. */
import { describe, expect, test } from "vitest";
import { parse } from "./hcl.ts";
import { sources } from "./plan.ts";
import { DEPLOYMENT, planned, TOPIC } from "./planned.ts";

describe("the functions of the Terraform module", () => {
  test("the Terraform module sets the same environment variables for every function, except the variables that only some functions read", async () => {
    const { of } = await planned();
    expect(of("fgs_function")).toHaveLength(5);
    for (const { user_data } of of("fgs_function")) {
      const { DEPLOYED_POLICIES: _, PRE_DEPLOY_POLICIES: __, ...variables } = JSON.parse(user_data);
      expect(variables).toEqual({
        REGION: "eu-west-101",
        PROJECT_ID: "<data.huaweicloud_account.this.current_project_id>",
        EVS_ENDPOINT: "https://evs.eu-west-101.myhuaweicloud.com",
        DWS_ENDPOINT: "https://dws.eu-west-101.myhuaweicloud.com",
        ECS_ENDPOINT: "https://ecs.eu-west-101.myhuaweicloud.com",
        FUNCTIONGRAPH_ENDPOINT: "https://functiongraph.eu-west-101.myhuaweicloud.com",
        LTS_ENDPOINT: "https://100.125.11.157:8102",
        LTS_LOG_GROUP_ID: "<huaweicloud_lts_group.this.id>",
        // This log stream contains the result records. The output of the functions has a different log stream.
        LTS_LOG_STREAM_ID: "<huaweicloud_lts_stream.results.id>",
        EVS_LIMITS: "current",
        MAX_CONCURRENCY: "8",
        SHARD_SIZE: "500",
        DISK_ATTACHED_KIND: "standard-snapshot",
      });
    }
  });

  test("the Terraform module tells verify-snapshots and prune-snapshots the kinds and schedules of the policies and functions that it deploys", async () => {
    const { the } = await planned({ functions: ["create-cluster-snapshot", "disk-attached", "pre-deploy"] });
    for (const name of ["verify-snapshots", "prune-snapshots"]) {
      expect(JSON.parse(JSON.parse(the("fgs_function", name).user_data).DEPLOYED_POLICIES)).toEqual({
        "create-cluster-snapshot": { kinds: ["cluster-snapshot"] },
        "disk-attached": { kinds: ["standard-snapshot"] },
        nightly: {
          kinds: ["standard-snapshot"],
          schedule: "CRON_TZ=UTC 0 0 2 * * *",
          since: '<terraform_data.schedule["nightly"].output>',
        },
        "pre-deploy": { kinds: ["cluster-snapshot", "snapshot", "snapshot-group", "standard-snapshot"] },
        weekly: {
          kinds: ["cluster-snapshot"],
          schedule: "CRON_TZ=UTC 0 0 5 * * 0",
          since: '<terraform_data.schedule["weekly"].output>',
        },
      });
    }
    expect(the("fgs_function", "disk-attached").user_data).not.toContain("_POLICIES");
  });

  test("the Terraform module keeps the time at which it deployed a schedule until the schedule or the kinds of the policy change", async () => {
    const { resource } = await parse("locals.tf", sources()["locals.tf"] ?? "");
    const [{ input, lifecycle }] = resource.terraform_data.schedule;
    expect([input, lifecycle]).toEqual([`\${timestamp()}`, [{ ignore_changes: [`\${input}`] }]]);
    const replacedBy = async (nightly: object) => {
      const { the } = await planned({ policies: { nightly: { ...DEPLOYMENT.policies.nightly, ...nightly } } });
      return the("terraform_data", "nightly").triggers_replace;
    };
    const before = await replacedBy({});
    expect(before).toEqual(["CRON_TZ=UTC 0 0 2 * * *", "standard-snapshot"]);
    expect(await replacedBy({ hold: ["a"], retention: { keep_daily: 8 } })).toEqual(before);
    for (const change of [{ schedule: "0 0 3 * * *" }, { time_zone: "Europe/Berlin" }]) {
      expect(await replacedBy(change)).not.toEqual(before);
    }
  });

  test("for a policy with dry_run, the Terraform module creates a timer, but verify-snapshots does not expect runs of the policy", async () => {
    const policies = { nightly: { ...DEPLOYMENT.policies.nightly, dry_run: true } };
    const { of, the } = await planned({ policies });
    expect(JSON.parse(JSON.parse(the("fgs_function", "verify-snapshots").user_data).DEPLOYED_POLICIES)).toMatchObject({
      nightly: { kinds: ["standard-snapshot"] },
    });
    expect(the("fgs_function", "verify-snapshots").user_data).not.toContain("since");
    // Terraform deletes the resource of the policy, so a later apply creates it again with a new time.
    expect(of("fgs_function_trigger", "take_nightly")).toHaveLength(1);
  });

  test("pre-deploy accepts only the policy pre-deploy unless gateway.policies contains more names", async () => {
    const policiesOf = async (gateway: object) => {
      const { the } = await planned({ gateway: { ...DEPLOYMENT.gateway, ...gateway } });
      return JSON.parse(the("fgs_function", "pre-deploy").user_data).PRE_DEPLOY_POLICIES;
    };
    expect(await policiesOf({})).toBe("pre-deploy");
    expect(await policiesOf({ policies: ["weekly", "pre-deploy"] })).toBe("pre-deploy,weekly");
  });

  test("if callers create the snapshots of a policy, the Terraform module warns of a retention without a rule that depends on time", async () => {
    const prune = (retention: object) => ({ prune_schedule: "0 0 6 * * *", retention });
    const warningsOf = async (changes: object) => (await planned(changes)).warnings;
    const { nightly } = DEPLOYMENT.policies;
    expect(await warningsOf({})).toEqual([]);
    expect(await warningsOf({ policies: { nightly: { ...nightly, ...prune({ keep_last: 3 }) } } })).toEqual([]);
    expect(await warningsOf({ policies: { "disk-attached": prune({ keep_last: 3, keep_daily: 2 }) } })).toEqual([]);
    for (const name of ["pre-deploy", "disk-attached", "create-snapshot"]) {
      expect(await warningsOf({ policies: { [name]: prune({ keep_last: 3, keep_daily: 0, min_keep: 2 }) } })).toEqual([
        expect.stringContaining(`The retention of ${name} only counts snapshots`),
      ]);
    }
    const gateway = { ...DEPLOYMENT.gateway, policies: ["nightly"] };
    expect(await warningsOf({ gateway, policies: { nightly: { ...nightly, ...prune({ keep_last: 3 }) } } })).toEqual([
      expect.stringContaining("The retention of nightly only counts snapshots"),
    ]);
    expect(await warningsOf({ disk_attached_retention: { keep_last: 2 } })).toEqual([
      expect.stringMatching(/^disk_attached_retention: The rules only count snapshots/),
    ]);
    expect(await warningsOf({ disk_attached_retention: { keep_last: 2, keep_within_days: 7 } })).toEqual([]);
  });

  test("the Terraform module warns of a dry run that does not stop the deletions of pre-deploy or disk-attached", async () => {
    const dryRun = { prune_schedule: "0 0 6 * * *", retention: { keep_daily: 7 }, dry_run: true };
    const warningsOf = async (changes: object) => (await planned(changes)).warnings;
    const gateway = { ...DEPLOYMENT.gateway, make_room: true };
    const policies = { "pre-deploy": dryRun, "disk-attached": dryRun };
    expect(await warningsOf({ policies })).toEqual([]);
    expect(await warningsOf({ gateway, policies: { "disk-attached": dryRun } })).toEqual([]);
    expect(await warningsOf({ gateway, policies })).toEqual([
      expect.stringMatching(/^policies: The field `dry_run` of pre-deploy stops only prune-snapshots\./),
    ]);
    expect(await warningsOf({ disk_attached_retention: { keep_daily: 7 }, policies })).toEqual([
      expect.stringMatching(/^policies: The field `dry_run` of disk-attached stops only prune-snapshots\./),
    ]);
  });

  test("with the domain of another cloud, the Terraform module sets endpoints in this domain, and the configured limits and runtime", async () => {
    const { of } = await planned({
      cloud: "cloud.example.com",
      endpoints: { dws: "https://dws.example.com", functiongraph: "https://functions.example.com" },
      evs_limits: "classic",
      runtime: "Node.js20",
      disk_attached_kind: "snapshot",
      disk_attached_retention: { keep_last: 2 },
    });
    for (const { user_data, runtime } of of("fgs_function")) {
      expect(runtime).toBe("Node.js20");
      expect(JSON.parse(user_data)).toMatchObject({
        EVS_ENDPOINT: "https://evs.eu-west-101.cloud.example.com",
        ECS_ENDPOINT: "https://ecs.eu-west-101.cloud.example.com",
        DWS_ENDPOINT: "https://dws.example.com",
        FUNCTIONGRAPH_ENDPOINT: "https://functions.example.com",
        EVS_LIMITS: "classic",
        DISK_ATTACHED_KIND: "snapshot",
        DISK_ATTACHED_RETENTION: '{"keep_last":2}',
      });
    }
  });

  test.each([
    ["pre-deploy", 60],
    ["scheduled-snapshots", 900],
    ["prune-snapshots", 900],
    ["verify-snapshots", 300],
    ["disk-attached", 300],
  ])(
    "the Terraform module deploys %s with Node.js 20, a timeout of %i s and the log stream function-logs",
    async (name, timeout) => {
      const { the } = await planned();
      expect(the("fgs_function", name)).toMatchObject({
        runtime: "Node.js20.15",
        timeout,
        app: "default",
        log_stream_id: "<huaweicloud_lts_stream.functions.id>",
        log_stream_name: "function-logs",
      });
    },
  );

  test.each([
    ["scheduled-snapshots", 7_200],
    ["prune-snapshots", 7_200],
    ["verify-snapshots", 7_200],
    ["disk-attached", 86_400],
  ])(
    "the Terraform module retries a failed event of %s twice within %i s and then notifies the alarm topic",
    async (name, age) => {
      const { the } = await planned();
      const { on_failure, ...rest } = the("fgs_async_invoke_configuration", name);
      expect(rest).toMatchObject({
        max_async_retry_attempts: 2,
        max_async_event_age_in_seconds: age,
        enable_async_status_log: true,
      });
      expect(on_failure).toEqual([{ destination: "SMN", param: JSON.stringify({ topic_urn: TOPIC }) }]);
    },
  );

  test("the Terraform module starts verify-snapshots every hour and the other functions by their cron schedules", async () => {
    const { the } = await planned();
    const timer = (key: string) => JSON.parse(the("fgs_function_trigger", key).event_data);
    expect(timer("verify")).toEqual({
      name: "verify",
      schedule_type: "Cron",
      schedule: "CRON_TZ=UTC 0 15 * * * *",
      user_event: '{"lookback_minutes":1440}',
    });
    expect(timer("take_nightly")).toMatchObject({ schedule_type: "Cron", schedule: "CRON_TZ=UTC 0 0 2 * * *" });
  });
});

describe("the permissions of the Terraform module", () => {
  test("the Terraform module writes IAM policies of version 1.1 that contain no Deny statement", async () => {
    const { of } = await planned();
    for (const { policy } of of("identity_role")) {
      const { Version, Statement } = JSON.parse(policy);
      expect(Version).toBe("1.1");
      for (const { Effect, Action, ...rest } of Statement) {
        expect(Effect).toBe("Allow");
        // A permission to invoke names the function that it applies to. The agency limits every other permission to the project.
        const canInvoke = Action.some((action: string) => action.startsWith("functiongraph:"));
        expect(rest).toEqual(canInvoke ? { Resource: ["FunctionGraph:*:*:function:default/scheduled-snapshots"] } : {});
      }
    }
    const [scheduled] = of("identity_role", "scheduled-snapshots");
    expect(scheduled.policy).toContain('"Action":["functiongraph:function:invokeAsync"]');
  });

  test("the Terraform module grants the policies in platform_policies only to the platform's agency", async () => {
    const { of } = await planned({ platform_policies: ["CTS Administrator"] });
    const having = of("identity_agency").filter(({ project_role }) =>
      project_role[0].roles.includes("CTS Administrator"),
    );
    expect(having.map(({ name }) => name)).toEqual(["snapshots-platform"]);
    expect(having[0].project_role[0].roles).toHaveLength(2);
  });
});

describe("the gateway of the Terraform module", () => {
  test("the Terraform module publishes the APIs in the default environment and authorizes the application of the callers", async () => {
    const { the } = await planned();
    const env = "DEFAULT_ENVIRONMENT_RELEASE_ID";
    expect(the("apig_api_publishment", "pre-deploy")).toMatchObject({ env_id: env });
    expect(the("apig_application_authorization")).toMatchObject({
      env_id: env,
      application_id: "<huaweicloud_apig_application.callers[0].id>",
    });
  });

  test("the Terraform module does not delete app codes that were created in the console", async () => {
    const { resource } = await parse("gateway.tf", sources()["gateway.tf"] ?? "");
    const [{ lifecycle }] = resource.huaweicloud_apig_application.callers;
    expect(lifecycle).toEqual([{ ignore_changes: [`\${app_codes}`] }]);
  });

  test("the Terraform module permits only access keys of its own account to call APIs with IAM authentication", async () => {
    const { the } = await planned({
      gateway: { ...DEPLOYMENT.gateway, authentication: "IAM", publish_with_iam: true },
    });
    expect(the("apig_acl_policy")).toMatchObject({
      type: "PERMIT",
      entity_type: "DOMAIN_ID",
      value: "<data.huaweicloud_account.this.id>",
    });
  });
});

/** Plans infra/terraform with valid variables, and compares infra/README.md with the module and the functions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../../functions/verify-snapshots/handler.ts";
import { REASONS } from "../../../shared/core/errors.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import { createTestEnvironment, timerEvent } from "../../support/environment.ts";
import { EVERYTHING, findFaults } from "./everything.ts";
import { parse } from "./hcl.ts";
import { observe } from "./observed.ts";
import { planOf, sources } from "./plan.ts";
import { FUNCTIONS, README, RIGHTS, ROWS } from "./readme.ts";
import { schemaFaults } from "./schema.ts";

// biome-ignore lint/suspicious/noExplicitAny: variables of every type
type Any = any;

const sample = async (): Promise<Any> =>
  parse(
    "terraform.tfvars",
    readFileSync(join(import.meta.dirname, "../../../infra/terraform/terraform.tfvars.example"), "utf8"),
  );

/** Values for the placeholders in terraform.tfvars.example. */
const FILLED_IN = {
  gateway: { instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7", authentication: "APP" },
  alarm: { email: "sre@example.org" },
  lts_endpoint: "https://100.125.11.157:8102",
};

/** A gateway whose callers can use no policy except pre-deploy. */
const OWN_POLICY = { ...EVERYTHING.gateway, policies: [] };

describe("the Terraform module", () => {
  test("the Terraform module deploys every function with arguments that the provider documents", async () => {
    expect(await findFaults(sources())).toEqual([]);
  });

  test.each<[string, Partial<typeof EVERYTHING>]>([
    [
      "APIs with IAM authentication",
      { gateway: { ...EVERYTHING.gateway, authentication: "IAM", publish_with_iam: true } as Any },
    ],
    [
      "no timer that only deletes duplicates if delete_duplicates is false",
      { delete_duplicates: false } as Partial<typeof EVERYTHING>,
    ],
    [
      "no prune-snapshots if delete_duplicates is false and no policy has a retention",
      {
        delete_duplicates: false,
        policies: { crowded: EVERYTHING.policies.crowded },
        gateway: OWN_POLICY,
      } as Partial<typeof EVERYTHING>,
    ],
    [
      "prune-snapshots if no policy is set but disk-attached is deployed",
      { functions: ["disk-attached"], policies: {}, coverage: {} as Any, gateway: undefined as Any },
    ],
    ["disk-attached for standard snapshots", { disk_attached_kind: "standard-snapshot" }],
    [
      "disk-attached without the permission to delete snapshots if disk_attached_retention is not set",
      { disk_attached_retention: undefined },
    ],
    [
      "pre-deploy without the permission to delete snapshots if make_room is not set",
      { gateway: { instance_id: EVERYTHING.gateway.instance_id } as Any },
    ],
    [
      "scheduled-snapshots without the permission to delete snapshots if make_room is false",
      { policies: { nightly: { ...EVERYTHING.policies.nightly, make_room: false } } },
    ],
    [
      "alarms that notify an existing topic",
      { alarm: { topic_urn: "urn:smn:eu-west-101:0123456789abcdef0123456789abcdef:ops" } as Any },
    ],
    [
      'no API if the variable "functions" contains only disk-attached and the variable "gateway" is not set',
      { functions: ["disk-attached"], coverage: {} as Any, gateway: undefined as Any },
    ],
    [
      "a policy that deletes old snapshots but creates none",
      {
        policies: { "pre-deploy": { prune_schedule: "0 0 6 * * *", retention: { keep_last: 2 } } },
        gateway: OWN_POLICY,
      },
    ],
    [
      "report-coverage with a timer but without an API if the variable gateway is not set",
      { functions: ["report-coverage"], gateway: undefined as Any, coverage: {} as Any },
    ],
    [
      "report-coverage without an alarm on missing runs",
      { coverage: { every_hours: 0, states: ["failing", "unprotected"] } as Any },
    ],
    [
      "report-coverage with a weekly timer",
      { coverage: { schedule: "0 0 6 * * 1", every_hours: 168, kinds: ["volume"] } as Any },
    ],
    ["a policy with dry_run", { policies: { nightly: { ...EVERYTHING.policies.nightly, dry_run: true } } }],
    [
      'only verify-snapshots if the variables "functions" and "policies" are empty',
      { functions: [], policies: {}, coverage: {} as Any, gateway: undefined as Any },
    ],
    [
      "a policy without an alarm on missing runs",
      { policies: { nightly: { ...EVERYTHING.policies.nightly, every_hours: 0 } } },
    ],
    [
      "a policy that prunes less often than it creates snapshots",
      { policies: { nightly: { ...EVERYTHING.policies.nightly, every_hours: 1, prune_every_hours: 168 } } },
    ],
  ])("the Terraform module deploys %s", async (_name, changes) => {
    expect(await findFaults(sources(), { ...EVERYTHING, ...changes })).toEqual([]);
  });

  test("the Terraform module accepts terraform.tfvars.example, and the functions accept the resulting timer events", async () => {
    const plan = await planOf(sources(), { ...(await sample()), ...FILLED_IN });
    expect([...plan.refusals, ...schemaFaults(plan)]).toEqual([]);

    const timers = plan.resources.filter(({ values }) => values.type === "TIMER");
    expect(timers).toHaveLength(7);
    const { cloud, invoke } = await createTestEnvironment();
    for (const tags of [{ backup: "daily" }, { backup: "weekly" }]) {
      cloud.addVolume({ tags });
      cloud.addCluster({ tags });
    }
    const handlers = { take: scheduledSnapshots, prune: pruneSnapshots, verify: verifySnapshots };
    for (const { address, key, values } of timers) {
      const { user_event } = JSON.parse(values.event_data);
      const [what] = String(key).split("_") as [keyof typeof handlers];
      const { error, records } = await invoke(handlers[what], timerEvent(user_event));
      expect(error, address).toBeUndefined();
      // The policies in terraform.tfvars.example set dry_run, so the functions only plan snapshots.
      if (what === "take") expect(records.map(({ outcome }) => outcome)).toEqual(["planned", "done"]);
    }
    expect(cloud.snapshots()).toEqual([]);
  });

  test("the Terraform module accepts the field $schema of a policy, and its timer events do not contain the field", async () => {
    const { nightly } = EVERYTHING.policies;
    const policies = { nightly: { ...nightly, $schema: "infra/policy.schema.json" } };
    const plan = await planOf(sources(), { ...EVERYTHING, policies });
    expect([...plan.refusals, ...schemaFaults(plan)]).toEqual([]);
    expect(JSON.stringify(plan.resources)).not.toContain("$schema");
  });

  test("the Terraform module rejects each placeholder in terraform.tfvars.example that the user did not replace", async () => {
    for (const [name, message] of [
      ["gateway", /gateway\.instance_id: must be the id/],
      ["alarm", /alarm\.email: must be your address/],
      ["lts_endpoint", /lts_endpoint: must be an https address/],
    ] as const) {
      const { [name]: _filled, ...others } = FILLED_IN;
      const { refusals } = await planOf(sources(), { ...(await sample()), ...others });
      expect(refusals).toEqual([expect.stringMatching(message)]);
    }
  });
});

describe("infra/README.md", () => {
  test("infra/README.md lists every API call with the functions that make the call and a public source", async () => {
    const observed = await observe();
    const calls = [...new Set(Object.values(observed).flatMap((seen) => [...seen.calls]))];
    expect(Object.keys(RIGHTS).sort()).toEqual(calls.sort());
    for (const [call, { functions, source }] of Object.entries(RIGHTS)) {
      const callers = Object.keys(observed).filter((name) => observed[name]?.calls.has(call));
      const names = [...new Set(callers.map((name) => name.replace(/ .*/, "")))];
      expect(functions.toSorted(), call).toEqual(names.length === FUNCTIONS.length ? ["all"] : names.sort());
      expect(source, call).toMatch(/reference|guide|FAQ|UNCONFIRMED/);
    }
  });

  test("infra/README.md links to the table of error reasons in functions/README.md instead of repeating it", () => {
    expect(ROWS.filter(([reason = ""]) => Object.hasOwn(REASONS, reason))).toEqual([]);
    expect(README).toContain("(../functions/README.md#reasons)");
  });

  test("infra/README.md describes every variable of the Terraform module", async () => {
    const { variable } = await parse("variables.tf", sources()["variables.tf"] ?? "");
    for (const name of Object.keys(variable)) expect(README).toContain(`\`${name}\``);
  });

  test("infra/README.md describes for each kind of snapshot which API call restores it, and under which conditions", () => {
    for (const kind of Object.keys(KINDS)) {
      const restores = ROWS.filter(
        ([of = "", call = "", conditions]) => of === kind && /\/v[\d.]+\/\{project_id\}\//.test(call) && conditions,
      );
      expect(restores, kind).toHaveLength(1);
    }
  });
});

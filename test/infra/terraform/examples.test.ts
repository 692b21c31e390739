/** Plans infra/terraform with each file in infra/terraform/examples, and compares these files with infra/README.md. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "./hcl.ts";
import { planOf, sources } from "./plan.ts";
import { README } from "./readme.ts";
import { schemaFaults } from "./schema.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "infra", "terraform", "examples");
const MAX_LINES = 15;

/** The functions that each file deploys. */
const DEPLOYED: [file: string, functions: string[]][] = [
  ["minimal.tfvars", ["prune-snapshots", "scheduled-snapshots", "verify-snapshots"]],
  ["gate.tfvars", ["pre-deploy", "prune-snapshots", "scheduled-snapshots", "verify-snapshots"]],
];

/** Values for the placeholders in the files. */
const FILLED_IN = {
  alarm: { email: "sre@example.org" },
  lts_endpoint: "https://lts-access.eu-west-101.myhuaweicloud.com:8102",
  gateway: { instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7" },
};

const read = (file: string) => {
  const path = join(FOLDER, file);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

test.each(DEPLOYED)("infra/README.md shows examples/%s, which has at most 15 lines", (file) => {
  expect(read(file).trimEnd().split("\n").length).toBeLessThanOrEqual(MAX_LINES);
  expect(README).toContain(`\`\`\`hcl\n${read(file)}\`\`\`\n`);
});

test.each(DEPLOYED)(
  "the Terraform module deploys examples/%s after the user replaced every placeholder",
  async (file, functions) => {
    // biome-ignore lint/suspicious/noExplicitAny: variables of every type
    const variables: Record<string, any> = await parse(file, read(file));
    const filledIn = Object.fromEntries(
      Object.entries(FILLED_IN).flatMap(([name, value]) =>
        // Keep the other fields of an object, such as `kinds`.
        variables[name] === undefined
          ? []
          : [[name, typeof value === "string" ? value : { ...variables[name], ...value }]],
      ),
    );
    const plan = await planOf(sources(), { ...variables, ...filledIn });
    expect([...plan.refusals, ...plan.warnings, ...schemaFaults(plan)]).toEqual([]);
    const deployed = plan.resources.filter(({ type }) => type === "huaweicloud_fgs_function").map(({ key }) => key);
    expect(deployed).toEqual(functions);
  },
);

test.each(DEPLOYED)(
  "the Terraform module rejects each placeholder in examples/%s that the user did not replace",
  async (file) => {
    const variables = await parse(file, read(file));
    const { refusals } = await planOf(sources(), variables);
    // Each message begins with the name of the variable.
    expect(refusals.map((message) => message.split(/[.:]/)[0]).sort()).toEqual(
      Object.keys(FILLED_IN)
        .filter((name) => variables[name] !== undefined)
        .sort(),
    );
  },
);

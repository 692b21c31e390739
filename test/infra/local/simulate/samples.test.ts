/** Runs `npm run simulate` with each sample policy in test/policies. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { expect, test } from "vitest";
import { capture } from "./captured.ts";
import { SAMPLE_FILES, SAMPLE_FOLDER, SAMPLES } from "./samples.ts";

const schema = JSON.parse(readFileSync(join(SAMPLE_FOLDER, "../../infra/policy.schema.json"), "utf8"));
const isValid = new Ajv({ strictTypes: false }).compile(schema);
const readme = readFileSync(join(SAMPLE_FOLDER, "README.md"), "utf8");

test("the tests simulate every sample policy in test/policies", () => {
  expect(SAMPLES.map(({ file }) => file).sort()).toEqual(SAMPLE_FILES.sort());
});

test.each(SAMPLES)(
  "simulate begins its output for $file with the verdict: $verdict",
  ({ file, everyHours, pruneEvery, verdict, exitCode }) => {
    const { code, words, lines } = capture(
      join(SAMPLE_FOLDER, file),
      ...["--from", "2026-11-21", "--every", String(everyHours), "--prune-every", pruneEvery],
    );
    expect([code, words.slice(0, verdict.length)]).toEqual([exitCode, verdict]);
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  },
);

test.each(SAMPLES)(
  "policy.schema.json accepts the sample $file, whose $schema is the path of policy.schema.json",
  ({ file, policy }) => {
    expect(isValid(policy), JSON.stringify(isValid.errors)).toBe(true);
    expect(policy).toHaveProperty("$schema", "../../infra/policy.schema.json");
    expect(readme).toContain(`](${file})`);
  },
);

/** Runs the gate client with the commands in the sample pipelines of infra/ci. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { APP_CODE, buildClient, CI, runCommand, startGate } from "../../support/gate-client.ts";

const folder = buildClient();

/** Returns the command in a sample pipeline: the text block after a YAML key. */
function commandOf(file: string, key: string): string {
  const lines = readFileSync(join(CI, file), "utf8").split("\n");
  const start = lines.findIndex((line) => line.trim() === `${key}: |`);
  expect(start, `${key} in ${file}`).toBeGreaterThan(0);
  const indent = /^ */.exec(lines[start + 1] ?? "")?.[0] ?? "";
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.trim() !== "" && !line.startsWith(indent));
  return rest
    .slice(0, end < 0 ? undefined : end)
    .map((line) => line.slice(indent.length))
    .join("\n");
}

/** For each sample file: the YAML key of its command, and the environment variables that the pipeline sets. */
const SNIPPETS: [string, string, Record<string, string>][] = [
  [
    "github-actions.yml",
    "run",
    { GITHUB_RUN_ID: "18273645", GITHUB_RUN_ATTEMPT: "1", GITHUB_REPOSITORY_ID: "812345678" },
  ],
  ["gitlab-ci.yml", "script", { CI_JOB_ID: "5541", CI_PROJECT_ID: "4711" }],
  ["codearts-build.yml", "command", { BUILDNUMBER: "20261121.3", JOB_NAME: "shop" }],
];

describe.concurrent.each(SNIPPETS)("the sample %s", (file, key, own) => {
  const command = commandOf(file, key);
  const gate = (url: string, variables: Record<string, string> = {}) =>
    runCommand(folder(), command, { SNAPSHOT_GATE_URL: url, SNAPSHOT_GATE_APP_CODE: APP_CODE, ...own, ...variables });

  test(`the gate client in ${file} exits with 0 when every snapshot is available`, async (context) => {
    const { cloud, url } = await startGate(context);
    const { code, output } = await gate(url);
    expect(output).toContain("ready: 2 of 2 available");
    expect(output).toContain("ready: the deployment can begin");
    expect(code).toBe(0);
    expect(cloud.snapshots("standard-snapshot").map(({ status }) => status)).toEqual(["available", "available"]);
  });

  test(`the gate client in ${file} exits with 1 when a snapshot failed`, async (context) => {
    const { url, cloud, volumes } = await startGate(context);
    cloud.endWith(volumes[0] as string, "error");
    const { code, output } = await gate(url);
    expect(output).toContain("failed: 1 of 2 available");
    expect(output).toContain("the deployment must not begin");
    expect(output).toMatch(/\n +SnapshotFailed: Call again with --retry-failed .*\n$/);
    expect(output).toMatch(new RegExp(`failed {2}standard-snapshot {2}${volumes[0]} .*its status is "error"`));
    expect(code).toBe(1);
  });

  test(`the gate client in ${file} exits with 2 when the snapshots are not available in time`, async (context) => {
    const { url } = await startGate(context, { creationMs: 3_600_000 });
    const { code, output } = await gate(url, { SNAPSHOT_GATE_TIMEOUT_SECONDS: "1" });
    expect(output).toContain("pending: 0 of 2 available");
    expect(output).toContain("not ready within 1 s");
    expect(code).toBe(2);
  });

  test(`the gate client in ${file} exits with 3 when pre-deploy rejects the request`, async (context) => {
    const { cloud, url } = await startGate(context);
    const { code, output } = await gate(url, { SNAPSHOT_GATE_POLICY: "not a policy" });
    expect(output).toMatch(/400 InvalidRequest: .*policy/);
    expect(output).toContain("rejected: correct the call");
    expect(code).toBe(3);
    expect(cloud.snapshots()).toEqual([]);
  });
});

test("the gate client in codearts-build.yml sends no request if JOB_NAME is empty or is an unexpanded variable", async () => {
  const command = commandOf("codearts-build.yml", "command");
  // No server listens at this address. If the gate client sent a request, it would print a connection error.
  const variables = { SNAPSHOT_GATE_URL: "http://127.0.0.1:9/pre-deploy", SNAPSHOT_GATE_APP_CODE: APP_CODE };
  for (const JOB_NAME of ["", `\${JOB_NAME}`]) {
    const { code, output } = await runCommand(folder(), command, { ...variables, BUILDNUMBER: "20261121.3", JOB_NAME });
    expect(output).toMatch(/^snapshot-gate: --deployment-id: got .* must not begin or end with a punctuation mark/);
    expect(code).toBe(3);
  }
});

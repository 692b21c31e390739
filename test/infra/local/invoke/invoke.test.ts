/** Tests `npm run invoke` with the built functions on the embedded cloud. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callsOf, loadDefinitions } from "../../../../infra/definitions.ts";
import { replay } from "../../../../infra/local/invoke/replay.ts";
import { BadUsage } from "../../../../infra/local/terminal/arguments.ts";
import { captureOutputs } from "../../../support/outputs.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const EVENTS = join(ROOT, "test", "events");
const SAMPLES = readdirSync(EVENTS).filter((file) => file.endsWith(".json"));
const DEFINITIONS = await loadDefinitions();
const CREATING = DEFINITIONS.filter((definition) =>
  callsOf(definition, DEFINITIONS).some((call) => call.includes(".create")),
).map(({ name }) => name);

let folder: string;
beforeAll(() => {
  if (!existsSync(join(ROOT, "dist", "create-snapshot", "index.js")))
    throw new Error("dist/ has no bundles. Run npm run build first.");
  folder = mkdtempSync(join(tmpdir(), "invoke-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sample = (file: string) => join(EVENTS, file);

/** Writes a JSON file and returns its path. */
function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

async function invoke(...argv: string[]) {
  const outputs = captureOutputs();
  const code = await replay(argv, outputs);
  const stdout = outputs.stdout();
  const words = stdout.replaceAll(/\s+/g, " ");
  return { code, stdout, stderr: outputs.stderr(), lines: stdout.split("\n"), words };
}

const POLICY = {
  $schema: "../../policy.schema.json",
  policy: "nightly",
  targets: [{ kind: "snapshot", tags: { backup: "daily" } }],
  retention: { keep_last: 3 },
};
const { $schema: _, ...PLAIN_POLICY } = POLICY;

describe.concurrent("invoke with the sample events", () => {
  const outcomes: Record<string, string> = {
    "disk-attached.failed-call.json": "skipped",
    "disk-attached.failed-job.json": "skipped",
    "disk-attached.other-trace.json": "skipped",
  };

  test.each(SAMPLES)("invoke runs a function with the sample event %s", { timeout: 60_000 }, async (file) => {
    const [functionName = ""] = file.split(".");
    const { code, stdout, stderr } = await invoke(functionName, sample(file), "--json");
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const outcome = outcomes[file] ?? (CREATING.includes(functionName) ? "accepted" : "done");
    expect(stdout).toContain(`"outcome":"${outcome}"`);
    expect(stdout).not.toContain(`"outcome":"rejected"`);
    // The embedded cloud starts with a failed snapshot, which verify-snapshots reports.
    if (functionName !== "verify-snapshots") expect(stdout).not.toContain(`"outcome":"failed"`);
  });
});

describe.concurrent("the output of invoke", () => {
  test("invoke first prints how many snapshots the function started to create, and then a table of the records", async () => {
    const { code, lines } = await invoke("scheduled-snapshots", sample("scheduled-snapshots.json"));
    expect(code).toBe(0);
    const rows = lines.filter((line) => line.startsWith("accepted "));
    expect(lines[0]).toBe(`scheduled-snapshots started ${rows.length} snapshots.`);
    expect(lines[1]).toMatch(/^Took \d+\.\d s on the embedded cloud/);
    expect(lines[3]).toMatch(/^outcome +kind +resource +snapshot$/);
    for (const resource of ["database-1-data", "web-1-data", "archive", "web-1", "warehouse"]) {
      expect(rows.filter((row) => row.split(/ {2,}/)[2] === resource)).toHaveLength(1);
    }
    for (const row of rows) expect(row).toMatch(/^accepted {2}.* nightly-\d{8}T\d{6}Z-/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  test("invoke prints the status, the headers and the body of an HTTP response", async () => {
    const { code, stdout } = await invoke("create-snapshot", sample("create-snapshot.apig.json"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^create-snapshot started 1 snapshot and responded with HTTP 202\.\n/);
    expect(stdout).toMatch(/\nResponse: HTTP 202, x-request-id: \S+, x-snapshot-outcome: accepted\n/);
    expect(stdout).toContain('\n      "name": "replayed-over-http",\n');
  });

  test("invoke prints only the number of lines of a long response body, because the body repeats the records", async () => {
    const { stdout } = await invoke("pre-deploy", sample("pre-deploy.json"));
    expect(stdout).toMatch(/^pre-deploy started 3 snapshots and responded with HTTP 202 \(pending\)\.\n/);
    expect(stdout).toMatch(/\n {2}A body of \d+ lines: --json prints it\.\n/);
    expect(stdout).not.toContain('"deployment_id"');
  });

  test("invoke prints the complete reason of a skipped trace below the table", async () => {
    const { stdout, words } = await invoke("disk-attached", sample("disk-attached.other-trace.json"));
    expect(stdout).toMatch(/^disk-attached skipped 1 target\.\n/);
    expect(words).toContain("The trace detachVolume does not report an attached disk. Only attachVolume");
  });

  test("invoke runs verify-snapshots on an embedded cloud with a failed snapshot, and prints the error of the snapshot and the advice", async () => {
    const { code, stdout, words } = await invoke("verify-snapshots", sample("verify-snapshots.json"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^verify-snapshots found \d+ available snapshots and 1 failed snapshot\.\n/);
    expect(stdout).toMatch(/\nfailed +standard-snapshot +shop-1-orders +hourly-\S+ +SnapshotFailed\n/);
    expect(words).toContain("Checked the last 24 hours (lookback_minutes 1440).");
    expect(words).toMatch(/shop-1-orders: SnapshotFailed: .* then create another snapshot\./);
    expect(words).toMatch(/Expected the standard-snapshot hourly-\S+ \(\S{36}\) of shop-1-orders \(\S{36}\) to become/);
  });

  test("invoke runs prune-snapshots on an embedded cloud with 60 days of snapshots, and states what a dry run would delete", async () => {
    const { code, stdout, lines, words } = await invoke("prune-snapshots", sample("prune-snapshots.json"));
    expect(code).toBe(0);
    const [, deleted, kept, held] =
      /^prune-snapshots \(dry run\) would delete (\d+) snapshots, keep (\d+) and keep (\d+) on hold\.$/.exec(
        lines[0] ?? "",
      ) ?? [];
    expect(Number(deleted)).toBeGreaterThan(50);
    expect(Number(kept)).toBeGreaterThan(10);
    expect(Number(held)).toBe(1);
    expect(words).toContain("Nothing was created or deleted: the cloud received no such request.");
    expect(words).toContain("Policy nightly: keep_last 3, keep_daily 3, keep_weekly 3.");
    for (const row of [
      /\nwould delete +\S+ +\d+ snapshots +kept by no rule\n/,
      /\nwould delete +archive +nightly-\S+ +duplicate \(twin of [0-9a-f]{8}…\)\n/,
      /\nwould delete +archive +nightly-\S+ +failed, and a newer good snapshot exists\n/,
      /\nwould keep +retired-data \(deleted\) +nightly-\S+ +keep_last, keep_daily, keep_weekly\n/,
      /\non hold +\S+ +keep-for-audit +held by its label\n/,
    ])
      expect(stdout).toMatch(row);
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  test("invoke exits with 1 and prints what is wrong if the function rejects the event", async () => {
    const { code, stdout, words } = await invoke("create-snapshot", sample("verify-snapshots.json"));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^create-snapshot rejected 1 request as invalid, so the invocation failed\.\n/);
    expect(words).toContain(
      "InvalidRequest: Expected an HTTP request from the API gateway, or its JSON body alone, got an event of the trigger",
    );
  });

  test("invoke --json prints only the records and the result, one JSON value per line", async () => {
    const { code, stdout, stderr } = await invoke("scheduled-snapshots", sample("scheduled-snapshots.json"), "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const values = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const count = values.length - 2;
    expect(count).toBeGreaterThanOrEqual(5);
    expect(values.slice(0, -2).map(({ outcome }) => outcome)).toEqual(Array(count).fill("accepted"));
    expect(values.at(-2)).toMatchObject({ action: "run", outcomes: { accepted: count } });
    expect(values.at(-1)).toMatchObject({ function: "scheduled-snapshots", targets: count, topic: "delivered" });
  });

  test("invoke --json prints the error of a failed invocation as the last line, and describes the error on stderr", async () => {
    const { code, stdout, stderr } = await invoke("create-snapshot", sample("verify-snapshots.json"), "--json");
    expect(code).toBe(1);
    const values = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(values.at(-1)).toMatchObject({ errorType: "InvalidRequest" });
    expect(stderr).toContain("InvalidRequest");
  });

  test("invoke --wait waits until the created snapshots are available, and prints their states", {
    timeout: 30_000,
  }, async () => {
    const { code, lines } = await invoke("create-snapshot-group", sample("create-snapshot-group.json"), "--wait");
    expect(code).toBe(0);
    expect(lines[0]).toMatch(
      /^create-snapshot-group started 1 snapshot\. The snapshot became available after \d\.\d s\.$/,
    );
    expect(lines[4]).toMatch(/^accepted +snapshot-group +web-1 +replayed-\d+ +available$/);
  });
});

describe.concurrent("invoke with a policy file", () => {
  test("invoke runs scheduled-snapshots with a policy file as the policy of a timer event", async () => {
    const { code, stdout } = await invoke("scheduled-snapshots", write("policy.json", PLAIN_POLICY));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^scheduled-snapshots started \d snapshots\.\n/);
    expect(stdout).toMatch(/\naccepted +snapshot +web-1-data +nightly-/);
  });

  test("invoke runs prune-snapshots with a policy file as the policy of a timer event", async () => {
    const { code, stdout } = await invoke(
      "prune-snapshots",
      write("prune.json", { ...PLAIN_POLICY, dry_run: true }),
      "--json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ policy: "nightly" });
  });

  test("invoke runs verify-snapshots with a policy file and states that it checks the snapshots of every policy", async () => {
    const { code, words } = await invoke("verify-snapshots", write("verify.json", POLICY));
    expect(code).toBe(0);
    expect(words).toContain("verify-snapshots checks the snapshots of every policy");
  });

  test("invoke replaces the placeholders in a policy file", async () => {
    const targets = [{ kind: "standard-snapshot", volume_ids: ["{{volume_id_2}}"] }];
    const { code, stdout } = await invoke("scheduled-snapshots", write("ids.json", { policy: "by-id", targets }));
    expect(code).toBe(0);
    expect(stdout).toMatch(/ archive +by-id-/);
  });

  test("invoke sends the request body of a file to pre-deploy", async () => {
    const body = { deployment_id: "release-9", targets: POLICY.targets, wait_seconds: 0 };
    const { code, stdout } = await invoke("pre-deploy", write("body.json", body));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pre-deploy started \d snapshots and responded with HTTP 202 \(pending\)\.\n/);
  });

  test.each(["pre-deploy", "create-snapshot", "disk-attached"])("invoke refuses a policy file for %s", async (name) => {
    const called = invoke(name, write(`${name}.json`, POLICY));
    await expect(called).rejects.toBeInstanceOf(BadUsage);
    await expect(called).rejects.toThrow(/^Expected .*got a policy\. .*scheduled-snapshots.* accept a policy\./);
  });
});

describe("the arguments of invoke", () => {
  const created = sample("create-snapshot.json");
  test.each([
    ["no arguments", [], "Expected a function and a file, got no arguments. Functions: create-"],
    [
      "an unknown function name",
      ["no-such", created],
      'Expected the name of a function, got "no-such". Functions: create-',
    ],
    [
      "a file that does not exist",
      ["create-snapshot", "nowhere.json"],
      "nowhere.json does not exist. Correct the path.",
    ],
    ["a folder instead of a file", ["create-snapshot", EVENTS], "test/events is not a file. Correct the path."],
    ["a file without JSON", ["create-snapshot", join(ROOT, "LICENSE")], /^Expected JSON in .*LICENSE: /],
    ["an unknown option", ["create-snapshot", "README.txt", "--reel"], "Unknown option '--reel'"],
    ["a superfluous argument", ["create-snapshot", "tsconfig.json", "more"], "got create-snapshot tsconfig.json more"],
    ["--real and an event with a placeholder as an id", ["create-snapshot", created, "--real"], "got {{volume_id}}"],
    ["--env-file without --real", ["create-snapshot", created, "--env-file", "LICENSE"], "--env-file: expected --real"],
  ])("invoke throws BadUsage if it gets %s", async (_what, argv, message) => {
    const called = replay(argv, captureOutputs());
    await expect(called).rejects.toThrow(message);
    await expect(called).rejects.toBeInstanceOf(BadUsage);
  });

  test("the help text of invoke fits into a terminal of 80 columns and 24 lines", async () => {
    const { code, lines } = await invoke("--help");
    expect(code).toBe(0);
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("invoke exits with 2 and prints nothing on stdout if it gets no arguments", { timeout: 60_000 }, () => {
    const tsx = createRequire(import.meta.filename).resolve("tsx/cli");
    const main = join("infra", "local", "invoke", "main.ts");
    const { status, stdout, stderr } = spawnSync(process.execPath, [tsx, main], { cwd: ROOT, encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^invoke: Expected a function and a file, got no arguments\. Functions: create-/);
    expect(stderr).toContain("\nHelp: npm run invoke -- --help\n");
  });
});

test("invoke --json finishes without an error if the reader of its output closes the pipe early", {
  timeout: 60_000,
}, () => {
  const tsx = createRequire(import.meta.filename).resolve("tsx/cli");
  const command = `"${process.execPath}" "${tsx}" infra/local/invoke/main.ts prune-snapshots test/events/prune-snapshots.json --json`;
  const { stdout, stderr } = spawnSync("sh", ["-c", `${command} | head -n 1`], { cwd: ROOT, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({ action: "prune", outcome: "planned" });
});

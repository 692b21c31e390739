/** Tests `npm start` as a user sees it: the output of the tour, its exit code, and the commands that it offers. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { replay } from "../../../../infra/local/invoke/replay.ts";
import { environmentOf, printAddresses } from "../../../../infra/local/site/addresses.ts";
import { writeEnvFile } from "../../../../infra/local/site/env-file.ts";
import { startLocalSite } from "../../../../infra/local/site/local-site.ts";
import { createScreen, type Screen } from "../../../../infra/local/terminal/screen.ts";
import { runTour } from "../../../../infra/local/tour/tour.ts";
import { writeBundles } from "../../../support/bundles.ts";
import { KINDS } from "../../../support/kinds.ts";
import { captureOutputs } from "../../../support/outputs.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const TSX = createRequire(import.meta.filename).resolve("tsx/cli");
const MAIN = join("infra", "local", "tour", "main.ts");

/** Runs `npm start` without the build. */
function start(...argv: string[]) {
  return spawnSync(process.execPath, [TSX, MAIN, ...argv], { cwd: ROOT, encoding: "utf8", timeout: 90_000 });
}

/** Creates a screen that collects the printed lines. */
function createLines(width = 100): { screen: Screen; lines: string[] } {
  const lines: string[] = [];
  const plain = createScreen(process.stdout, { NO_COLOR: "1" });
  const line = (text = "") => void lines.push(text);
  return { lines, screen: { ...plain, terminal: false, width, line, update: () => {} } };
}

beforeAll(() => {
  if (!existsSync(join(ROOT, "dist", "create-snapshot", "index.js")))
    throw new Error("dist/ has no bundles. Run npm run build first.");
});

describe("npm start with --once", () => {
  let result: ReturnType<typeof start>;
  let lines: string[];
  beforeAll(() => {
    result = start("--once");
    lines = result.stdout.trimEnd().split("\n");
  }, 100_000);

  test("the tour exits with 0 and prints at most 40 lines of at most 100 columns without control characters", () => {
    const { status, stderr, stdout } = result;
    expect({ status, stderr, stdout: status === 0 ? "" : stdout }).toEqual({ status: 0, stderr: "", stdout: "" });
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    for (const control of ["\x1b", "\r"]) expect(stdout).not.toContain(control);
  });

  test("the tour prints a sentence for each of its nine steps, which says what was tried and what happened", () => {
    // Joins the lines of each step.
    const steps = result.stdout
      .replace(/\n {8}/g, " ")
      .split("\n")
      .filter((line) => /^ ?\d+ {2}/.test(line));
    expect(steps).toHaveLength(9);
    for (const step of steps) expect(step).toMatch(/^ \d {2}ok {2}/);
    for (const kind of KINDS)
      expect(steps.join("\n")).toMatch(
        new RegExp(`create-${kind}: a request for (disk|server|cluster) \\S+, sent twice, created 1 snapshot\\.`),
      );
    expect(steps[4]).toMatch(/policy nightly created 6 snapshots\. The same event, delivered again, created none\.$/);
    expect(steps[5]).toMatch(/2 audit events of one attachment, archive to database-1, created 1 snapshot\.$/);
    expect(steps[6]).toMatch(/"pending" \d+ times?, then "ready" when all 4 snapshots of release-7 were available\.$/);
    expect(steps[7]).toMatch(
      /\d+ are available, and it reported the 1 that failed \(shop-1-orders, policy hourly\)\.$/,
    );
    expect(steps[8]).toMatch(/kept \d+ of the \d+ snapshots of the policy nightly and deleted the other \d{2,}\./);
  });

  test("the tour draws which snapshots of two disks prune-snapshots kept, held and deleted", () => {
    const [legend = "", ...rows] = lines.filter((line) => /One sign per snapshot|^ +(archive|invoices) /.test(line));
    expect(lines.join(" ").replaceAll(/ +/g, " ")).toContain("2 of its 7 resources, old to new:");
    for (const sign of ["# kept", "H held", ". old", "x failed", "D duplicate"]) expect(legend).toContain(sign);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(/archive +[.#x]+D#*$/);
    expect(rows[1]).toMatch(/invoices +\.+H[.#]+$/);
  });

  test("the tour ends with the guarantees that the run demonstrated and with the numbers that it counted", () => {
    const summary = lines
      .slice(lines.findIndex((line) => line.startsWith("All 9 steps passed.")))
      .join(" ")
      .replace(/ +/g, " ");
    expect(summary).toMatch(
      /No duplicates 7 different requests and events, delivered \d+ times in all, created 15 snapshots and 0 duplicates\./,
    );
    expect(summary).toContain("Available All 15 new snapshots became available.");
    expect(summary).toMatch(
      /Retention .*1 snapshot on hold, and all \d+ snapshots created by other policies, by people and by backups\./,
    );
    expect(summary).toContain("It deleted the 1 duplicate in the sample data and kept its original.");
    // The number of snapshots is the same wherever the tour counts all of them.
    const total = Number(/ (\d+) snapshots of the last \d+ days/.exec(lines.join(" "))?.[1]);
    const [ofPolicy, ofOthers] = [/of the (\d+) snapshots of the policy/, /all (\d+) snapshots created by other/].map(
      (pattern) => Number(pattern.exec(lines.join(" ").replaceAll(/ +/g, " "))?.[1]),
    );
    expect(total).toBe((ofPolicy ?? 0) + (ofOthers ?? 0));
    expect(summary).toMatch(/Recorded The logging topic received all \d+ result records that the functions wrote\.$/);
  });
});

describe("npm start with --verbose and without --once", () => {
  let stdout = "";
  let envFile = "";
  let variables = "";
  let code: unknown;
  beforeAll(async () => {
    const child = spawn(process.execPath, [TSX, MAIN, "--verbose"], { cwd: ROOT });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.stdout.on("data", (data) => {
      stdout += data;
      // The last line that npm start prints before it waits for Ctrl-C.
      if (envFile !== "" || !stdout.includes("prune-snapshots.json")) return;
      envFile = /--env-file (\S+)/.exec(stdout)?.[1] ?? "";
      if (envFile === "") return;
      variables = readFileSync(envFile, "utf8");
      child.kill("SIGINT");
    });
    code = await exited;
  }, 100_000);

  test("npm start runs until Ctrl-C, exits with 0 and deletes the file with the variables", () => {
    expect(variables).toMatch(/^EVS_ENDPOINT=http:\/\/127\.0\.0\.1:\d+$/m);
    expect(variables).toContain("HUAWEICLOUD_SDK_AK=EMBEDDEDCLOUD");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Stopped\.\n$/);
    expect(existsSync(envFile)).toBe(false);
  });

  test("npm start with --verbose also prints the result records and a table of the new snapshots", () => {
    expect(stdout).toMatch(/record {2}create-snapshot {2}accepted {2}web-1-data\n/);
    expect(stdout).toMatch(/record {2}prune-snapshots {2}held {2}invoices\n/);
    const rows = stdout.split("\n").filter((line) => KINDS.some((kind) => line.startsWith(`${kind} `)));
    for (const row of rows) expect(row).toMatch(/ (http|timer|cts) +available +\d+\.\d$/);
    const triggered = (by: string) => rows.filter((row) => row.includes(` ${by} `)).map((row) => row.split(" ")[0]);
    for (const by of ["http", "timer"]) expect([...new Set(triggered(by))].sort()).toEqual([...KINDS].sort());
    expect(triggered("cts")).toEqual(["snapshot"]);
    expect(rows).toHaveLength(15);
  });
});

test("if functions fail, the tour prints what each step expected and what it got", { timeout: 60_000 }, async () => {
  const result = { statusCode: 429, headers: {}, isBase64Encoded: false };
  const { dist, remove } = writeBundles({
    "create-snapshot": `exports.handler = async () => { throw new Error("no good"); };`,
    "create-standard-snapshot": `exports.handler = async () => ({ ...${JSON.stringify(result)},
      body: JSON.stringify({ error: { code: "Throttled", message: "later" } }) });`,
  });
  onTestFinished(remove);
  const { screen, lines } = createLines();
  const tour = await runTour(screen, { dist });
  await tour.close();
  expect(tour.problems).toEqual([
    expect.stringMatching(/^POST \/create-snapshot for web-1-data.*: expected the outcome accepted, got 500 .*no good/),
    expect.stringMatching(/^POST \/create-standard-snapshot for web-1-system.*accepted, got 429 .*later/),
    expect.stringMatching(/^POST \/create-snapshot-group for database-1.*expected the outcome accepted, got 404/),
    expect.stringMatching(/^POST \/create-cluster-snapshot for warehouse.*expected the outcome accepted, got 404/),
    expect.stringMatching(/^the timer of the policy nightly.*There is no function "scheduled-snapshots"/),
    expect.stringMatching(/^the two audit events of attaching archive.*There is no function "disk-attached"/),
    expect.stringMatching(/^POST \/pre-deploy for release-7.*: expected 202 pending from the first request, got 404/),
    expect.stringMatching(/^verify-snapshots for the last day: .*There is no function "verify-snapshots"/),
    expect.stringMatching(/^prune-snapshots with the retention.*There is no function "prune-snapshots"/),
  ]);
  const text = lines.join("\n");
  expect(text).toMatch(
    / 2 {2}FAILED {2}POST \/create-standard-snapshot.*\n {8}expected: the outcome accepted\n {8}got: {6}429 .*later\n/,
  );
  expect(text).toContain("9 checks failed:");
  expect(text).not.toContain("steps passed");
});

test.each([
  ["no number", "http", '--port: expected a number from 1 to 65534, got "http"'],
  ["a number above 65534", "65535", '--port: expected a number from 1 to 65534, got "65535"'],
])("npm start exits with 2 if --port is %s", (_what, port, message) => {
  const { status, stderr } = start("--once", "--port", port);
  expect({ status, message: stderr.split("\n")[0] }).toEqual({ status: 2, message });
});

test("npm start exits with 1 and names the port if another process uses the port", { timeout: 30_000 }, async () => {
  const { server, port } = await listen();
  onTestFinished(() => void server.close());
  const { status, stderr } = await new Promise<{ status: number | null; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [TSX, MAIN, "--once", "--port", String(port)], { cwd: ROOT });
    let stderr = "";
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.on("exit", (status) => resolve({ status, stderr }));
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `Port ${port} is in use. Choose another one with --port <number>.\n`,
  });
});

function listen(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () =>
      resolve({ server, port: (server.address() as { port: number }).port }),
    );
  });
}

test("the local site listens on the given port and on the next port", async () => {
  // Linux gives other sockets ports from 32768 on, and each test process has another process id.
  const port = 20_000 + (process.pid % 6_000) * 2;
  const localSite = await startLocalSite({ port, onLine: () => {} });
  onTestFinished(() => localSite.close());
  expect(localSite.gateway.url).toBe(`http://127.0.0.1:${port}`);
  expect(localSite.cloud.url).toBe(`http://127.0.0.1:${port + 1}`);
});

test("the env file contains one line for each variable, only its owner can read it, and it replaces an older file", () => {
  const name = `snapshot-functions-test-${process.pid}.env`;
  writeEnvFile(name, { OLD: "1" });
  const path = writeEnvFile(name, { A: "1", B: "two=2" });
  expect(readFileSync(path, "utf8")).toBe("A=1\nB=two=2\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("the commands that npm start offers run without an error", { timeout: 60_000 }, async () => {
  const localSite = await startLocalSite({ history: true, onLine: () => {} });
  onTestFinished(() => localSite.close());
  const { screen, lines } = createLines();
  printAddresses(localSite, screen, "/tmp/x.env");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  const commands = lines
    .join("\n")
    .replace(/ \\\n +/g, " ")
    .split("\n")
    .map((line) => line.trim());
  const responses: unknown[] = [];
  for (const command of commands.filter((line) => line.startsWith("curl "))) {
    const [, url = ""] = /(http\S+)/.exec(command) ?? [];
    const headers = [...command.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]);
    const body = /-d '([^']+)'/.exec(command)?.[1];
    const response = await fetch(url, {
      headers: Object.fromEntries(headers),
      ...(body === undefined ? {} : { method: "POST", body }),
    });
    const json = (await response.json()) as { status?: string; count?: number };
    responses.push([response.status, json.status ?? (json.count === undefined ? undefined : "list")]);
  }
  expect(responses).toEqual([
    [202, undefined],
    [202, "pending"],
    [200, "list"],
  ]);

  // The variables of the env file make the functions call this embedded cloud.
  for (const [name, value] of Object.entries(environmentOf(localSite.cloud))) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const invocations = commands.flatMap(
    (command) => /^npm run invoke -- (.+) --env-file \/tmp\/x\.env$/.exec(command)?.[1] ?? [],
  );
  expect(invocations).toHaveLength(2);
  const outputs = captureOutputs();
  const logged = localSite.cloud.logs.length;
  for (const invocation of invocations) expect(await replay([...invocation.split(" "), "--json"], outputs)).toBe(0);
  expect(outputs.stdout()).toMatch(/"action":"verify".*"outcome":"available"/);
  // The variables include the logging topic, so the records of the functions reach the topic.
  expect(localSite.cloud.logs.length).toBeGreaterThan(logged);
});

test("with verbose, npm start prints the id, the place and the tags of every resource", async () => {
  const localSite = await startLocalSite({ onLine: () => {} });
  onTestFinished(() => localSite.close());
  const { screen, lines } = createLines();
  printAddresses(localSite, screen, "/tmp/x.env", true);
  for (const { id, name } of localSite.inventory.resources)
    expect(lines.join("\n")).toMatch(new RegExp(`${name} +${id}`));
  expect(lines.join("\n")).toMatch(/disk +web-1-data +\S+ +on web-1 +backup=daily\n/);
  expect(lines.join("\n")).toMatch(/disk +archive +\S+ +not attached +backup=daily tier=cold\n/);
});

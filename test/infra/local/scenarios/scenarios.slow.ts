import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SnapshotView } from "../../../../infra/local/cloud/index.ts";
import { runScenarioCommand, runScenarios } from "../../../../infra/local/scenarios/command.ts";
import type { ScenarioEnvironment } from "../../../../infra/local/scenarios/environment.ts";
import type { Observation, Scenario } from "../../../../infra/local/scenarios/scenario.ts";
import { SCENARIOS } from "../../../../infra/local/scenarios/scenarios.ts";
import { normalizeStatus } from "../../../../infra/local/site/sample-inventory.ts";
import { createScreen, type Screen } from "../../../../infra/local/terminal/screen.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const TSX = createRequire(import.meta.filename).resolve("tsx/cli");
const NAMES = SCENARIOS.map(({ name }) => name);

/** Runs `npm start -- --scenario <name>` in a new process, without the build. */
const start = (name: string) =>
  spawnSync(process.execPath, [TSX, join("infra", "local", "tour", "main.ts"), "--scenario", name], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 50_000,
  });

/** Returns a screen that collects its lines. */
function createTestScreen(width = 80): Screen & { lines: string[] } {
  const lines: string[] = [];
  return { ...createScreen(), terminal: false, width, lines, line: (text = "") => void lines.push(text) };
}

const findScenario = (name: string): Scenario => {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`There is no scenario ${name}.`);
  return scenario;
};

/** Adds a second snapshot of the resource of a snapshot, as a function that creates duplicates would. */
function addDuplicate({ site, ownSnapshots }: ScenarioEnvironment): void {
  const original = ownSnapshots().find(({ status }) => normalizeStatus(status) !== "error") as SnapshotView;
  const { volume_id = "", server_id, cluster_id = "" } = original;
  const kind = original.kind as "snapshot";
  site.cloud.addSnapshot({ kind, volumeId: volume_id, ...{ serverId: server_id, clusterId: cluster_id } });
}

/** What each scenario prints after its name in the first line. */
const CONCLUSIONS: Record<string, RegExp> = {
  "lost-reply": /^4 lost responses, 1 snapshot for each of 4 resources$/,
  redelivery: /^3 deliveries of one event, 1 snapshot for each of 3 resources$/,
  "late-list": /^2 duplicates, each reported and deleted; 1 snapshot per disk$/,
  killed: /^process killed after 1 of 3 snapshots; each of 3 disks has 1$/,
  "throttled-account": /^\d+ throttled requests?, 1 snapshot for each of 5 disks$/,
  "busy-disk": /^waited \d+\.\d s for a busy disk, then created 1 snapshot$/,
  "failed-group": /^1 of 2 snapshots failed, so the group counts as failed$/,
  "gate-opens": /^the gate opened when 3 of 3 snapshots were available$/,
  "gate-closes": /^1 of 2 snapshots failed and the gate stayed closed$/,
};

/** What some scenarios print besides. */
const PRINTED: Record<string, RegExp[]> = {
  "failed-group": [
    /The function created another group, because the failed group is not usable\. The other group became available\./,
    /usable snapshots: database-1 1 \(and 1 failed\)/,
    /records in the logging topic: 3 \(1 per resource from 2 runs of scheduled-snapshots, 1 run of verify-snapshots\)/,
    /Expected the snapshot-group nightly-\S+ of database-1 to become available/,
  ],
  killed: [/records in the logging topic: 3 \(1 per resource from 1 run of scheduled-snapshots\)/],
  "gate-opens": [/POST \/pre-deploy: 202 \(gate closed: a snapshot is not available yet\)/, /: 200 \(gate open\)/],
  "gate-closes": [
    /POST \/pre-deploy: 502 \(gate closed: a snapshot failed\)/,
    /response with retry_failed: 200 \(gate open\)/,
    /usable snapshots: web-1-data 1 \(and 1 failed\), archive 1/,
    /Check web-1-data, then repeat/,
  ],
};

describe.concurrent("the scenarios with the built functions", () => {
  test.each(NAMES)(
    "the scenario %s passes and prints at most 25 lines, and its checks fail if the cloud or the logging topic is changed afterwards",
    { timeout: 60_000 },
    async (name) => {
      const scenario = findScenario(name);
      let environment: ScenarioEnvironment | undefined;
      let observation: Observation | undefined;
      const run = async (started: ScenarioEnvironment) => {
        environment = started;
        observation = await scenario.run(started);
        return observation;
      };
      const screen = createTestScreen();
      const code = await runScenarios([{ ...scenario, run }], screen);
      expect({ code, lines: code === 0 ? [] : screen.lines }).toEqual({ code: 0, lines: [] });

      const [first = "", ...others] = screen.lines;
      const prefix = `PASS  ${name}: `;
      expect(first.slice(0, prefix.length)).toBe(prefix);
      expect(first.slice(prefix.length)).toMatch(CONCLUSIONS[name] ?? /^no conclusion is expected$/);
      const headings = ["What was done to the cloud", "What the function did", "What it proves"];
      expect(others.filter((line) => !line.startsWith("  "))).toEqual(headings);
      expect(screen.lines).toContain("  ok      duplicates: 0");
      expect(screen.lines.length).toBeLessThanOrEqual(25);
      const words = screen.lines.join(" ").replaceAll(/ +/g, " ");
      for (const text of PRINTED[name] ?? []) expect(words).toMatch(text);
      expect(words).toMatch(/Requests to the cloud: .*\d+ deliver(y|ies) of records\./);
      expect(words).toMatch(/records in the logging topic: \d+ \(1 per resource from \d runs? of [a-z-]+/);
      // Explains each outcome that a newcomer does not know.
      for (const outcome of ["accepted", "existing"])
        expect(words.includes(`${outcome}: `)).toBe(new RegExp(`\\d ${outcome}\\b`).test(words));
      for (const line of screen.lines) expect(line.length, line).toBeLessThanOrEqual(80);

      // The embedded cloud no longer responds, but its contents can still be read and changed.
      if (environment === undefined || observation === undefined) throw new Error("The scenario did not run.");
      const { evaluate } = observation;
      const failedChecks = () => evaluate().checks.flatMap(({ holds, text }) => (holds ? [] : text));
      expect(failedChecks()).toEqual([]);
      const { cloud } = environment.site;
      const record = cloud.logs.findIndex(({ line }) => (line as { action?: string }).action !== "run");
      const removed = cloud.logs.splice(record, 1);
      expect(failedChecks()).toContain("records in the logging topic");
      cloud.logs.push(...removed);
      expect(failedChecks()).toEqual([]);
      addDuplicate(environment);
      expect(failedChecks()).toContain("duplicates");
      for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
      expect(failedChecks()).toContain("usable snapshots");
    },
  );

  test("a scenario prints the expected and the actual value and exits with 1 if the cloud has a duplicate", {
    timeout: 60_000,
  }, async () => {
    const scenario = findScenario("gate-opens");
    const run = async (environment: ScenarioEnvironment) => {
      const observation = await scenario.run(environment);
      addDuplicate(environment);
      return observation;
    };
    const screen = createTestScreen();
    expect(await runScenarios([{ ...scenario, run }], screen)).toBe(1);
    expect(screen.lines[0]).toBe("FAIL  gate-opens: 2 of 8 checks failed");
    expect(screen.lines).toContain("What was not proven in this run");
    expect(screen.lines).not.toContain("What it proves");
    expect(screen.lines).toContain("  FAILED  duplicates: expected 0, got 1");
  });

  test("a scenario that throws an error prints the error and exits with 1", async () => {
    const run = () => Promise.reject(new Error("The cloud did not start."));
    const screen = createTestScreen();
    expect(await runScenarios([{ ...findScenario("killed"), run }], screen)).toBe(1);
    expect(screen.lines).toEqual(["FAIL  killed: The cloud did not start."]);
  });

  test("several scenarios end with a table and the number of scenarios that passed", { timeout: 60_000 }, async () => {
    const failing = { ...findScenario("killed"), run: () => Promise.reject(new Error("The cloud did not start.")) };
    const screen = createTestScreen();
    expect(await runScenarios([findScenario("gate-closes"), failing], screen)).toBe(1);
    const [failure, heading, passed, failed, summary, ...more] = screen.lines;
    expect(failure).toBe("FAIL  killed: The cloud did not start.");
    expect(heading).toMatch(/^result +scenario +seconds +conclusion$/);
    expect(passed).toMatch(/^PASS +gate-closes +\d+\.\d +1 of 2 snapshots failed and the gate stayed closed$/);
    expect(failed).toMatch(/^FAIL +killed +\d+\.\d +The cloud did not start\.$/);
    expect(summary).toMatch(/^FAIL {2}1 of 2 scenarios passed in \d+ s$/);
    expect(more).toEqual([]);
  });
});

describe("npm start -- --scenario", () => {
  test("--scenario list prints one line for each scenario, which begins with the name of the scenario", async () => {
    const screen = createTestScreen();
    expect(await runScenarioCommand("list", screen)).toBe(0);
    expect(screen.lines.map((line) => line.trim().split("  ")[0])).toEqual([...NAMES, "all"]);
    for (const line of screen.lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test("--scenario with a wrong name prints the names of all scenarios and exits with 2", () => {
    const { status, stdout, stderr } = start("lost-replies");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr.split("\n")[0]).toBe('There is no scenario "lost-replies".');
    for (const name of NAMES) expect(stderr).toMatch(new RegExp(`^ {2}${name} {2}`, "m"));
  });

  test("--scenario with a name runs the scenario in a process that exits with 0", { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = start("gate-opens");
    expect({ status, stderr, stdout: status === 0 ? "" : stdout }).toEqual({ status: 0, stderr: "", stdout: "" });
    expect(stdout.split("\n")[0]).toMatch(/^PASS {2}gate-opens: /);
    for (const control of ["\x1b", "\r"]) expect(stdout).not.toContain(control);
  });
});

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { callsOf, loadDefinitions } from "../../../../infra/definitions.ts";
import type { EmbeddedCloud } from "../../../../infra/local/cloud/index.ts";
import { fillPlaceholders, placeholdersIn } from "../../../../infra/local/invoke/placeholders.ts";
import { replay } from "../../../../infra/local/invoke/replay.ts";
import { printAddresses } from "../../../../infra/local/site/addresses.ts";
import { startLocalSite } from "../../../../infra/local/site/local-site.ts";
import { missingFromTopic, parseRecord, type ResultRecord } from "../../../../infra/local/site/records.ts";
import { BadUsage } from "../../../../infra/local/terminal/arguments.ts";
import { createScreen, type Screen } from "../../../../infra/local/terminal/screen.ts";
import { formatTable } from "../../../../infra/local/terminal/table.ts";
import { runTour } from "../../../../infra/local/tour/tour.ts";
import { writeBundles } from "../../../support/bundles.ts";
import { KINDS } from "../../../support/kinds.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const TSX = createRequire(import.meta.filename).resolve("tsx/cli");

const EVENTS = join("test", "events");
const SAMPLES = readdirSync(join(ROOT, EVENTS)).filter((file) => file.endsWith(".json"));

/** Runs a script of infra/local in a new process. */
function run(script: string, ...argv: string[]): SpawnSyncReturns<string> {
  const { INIT_CWD: _, ...env } = process.env;
  return spawnSync(process.execPath, [TSX, join("infra", "local", script), ...argv], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 50_000,
    env,
  });
}

describe("the tour and invoke with the built functions", () => {
  beforeAll(() => {
    if (!existsSync(join(ROOT, "dist", "create-snapshot", "index.js")))
      throw new Error("dist/ has no bundles. Run npm run build first.");
  });

  test("the tour with --once exits with 0 after every snapshot became available", { timeout: 60_000 }, () => {
    const started = performance.now();
    const { status, stdout, stderr } = run("tour/main.ts", "--once");
    expect({ status, stderr, stdout: status === 0 ? "" : stdout }).toEqual({ status: 0, stderr: "", stdout: "" });
    expect(performance.now() - started).toBeLessThan(20_000);

    const lines = stdout.split("\n");
    const steps = lines.filter((line) => /^ {2}\d {2}/.test(line));
    expect(steps).toHaveLength(7);
    for (const step of steps) expect(step).toMatch(/ ok$/);
    expect(steps.filter((line) => line.includes("sent again: existing"))).toHaveLength(4);
    expect(steps[4]).toMatch(/TIMER nightly .* 5 accepted {2}delivered again: 5 existing/);
    expect(steps[5]).toMatch(/CTS attachVolume.* first trace: 1 accepted after \d+\.\d s {2}second trace: 1 existing/);
    expect(steps[6]).toMatch(/POST \/pre-deploy .* 202 pending {2}\d+ calls .* 200 ready/);

    const rows = lines.filter((line) => KINDS.some((kind) => line.startsWith(`${kind} `)));
    for (const row of rows) expect(row).toMatch(/ [0-9a-f-]{32,36} +(http|timer|cts) +available +\d+\.\d$/);
    const triggered = (by: string) => rows.filter((row) => row.includes(` ${by} `)).map((row) => row.split(" ")[0]);
    // The HTTP requests and the timer each create a snapshot of every kind. The CTS trace causes a snapshot of the disk.
    for (const by of ["http", "timer"]) expect([...new Set(triggered(by))].sort()).toEqual([...KINDS].sort());
    expect(triggered("cts")).toEqual(["snapshot"]);
    expect(rows).toHaveLength(14);
    expect(stdout).toMatch(/\n14 snapshots are available, and the logging topic received all \d+ result records\n$/);
    // stdout is not a terminal, so the tour prints neither colors nor a progress line.
    for (const control of ["\x1b", "\r"]) expect(stdout).not.toContain(control);
  });

  test("the sample commands that the tour prints run without an error", { timeout: 60_000 }, async () => {
    const localSite = await startLocalSite({ onLine: () => {} });
    onTestFinished(() => localSite.close());
    const lines: string[] = [];
    printAddresses(localSite, { ...createScreen(), line: (text = "") => void lines.push(text) });
    const commands = lines.filter((line) => line.includes("curl ")).map((line) => line.slice(line.indexOf("curl ")));
    const responses: unknown[] = [];
    for (const command of commands) {
      const [, url = ""] = /(http\S+)/.exec(command) ?? [];
      const headers = [...command.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]);
      const body = /-d '([^']+)'/.exec(command)?.[1];
      const response = await fetch(url, {
        headers: Object.fromEntries(headers),
        ...(body === undefined ? {} : { method: "POST", body }),
      });
      const json = (await response.json()) as { status?: string; count?: number };
      responses.push([response.status, json.status ?? json.count]);
    }
    // The first command creates one snapshot. The pre-deploy command selects three disks by a tag and creates three snapshots.
    expect(responses).toEqual([
      [202, undefined],
      [200, "ready"],
      [200, 4],
    ]);
    const { ak, sk, securityToken } = localSite.cloud.credentials;
    for (const value of [ak, sk, securityToken, localSite.cloud.projectId]) expect(lines.join("\n")).toContain(value);
    for (const { id, name } of localSite.inventory.resources)
      expect(lines.join("\n")).toMatch(new RegExp(`${name} +${id}`));
    expect(lines.join("\n")).toMatch(/disk +web-1-data +\S+ +on web-1 +backup=daily\n/);
    expect(lines.join("\n")).toMatch(/disk +archive +\S+ +not attached +backup=daily tier=cold\n/);

    // The timer functions use the same embedded cloud, so verify-snapshots finds the snapshots of this test.
    const [, variables = ""] = /export (.+)/.exec(lines.find((line) => line.includes("export ")) ?? "") ?? [];
    for (const variable of variables.split(" ")) {
      const equals = variable.indexOf("=");
      vi.stubEnv(variable.slice(0, equals), variable.slice(equals + 1));
    }
    onTestFinished(() => void vi.unstubAllEnvs());
    const invocations = lines.flatMap((line) => /npm run invoke -- (.+)/.exec(line)?.[1]?.split(" ") ?? []);
    expect(invocations).toHaveLength(6);
    const printed: string[] = [];
    const logged = localSite.cloud.logs.length;
    expect(await replay(invocations.slice(0, 3), (text) => printed.push(text))).toBe(0);
    expect(printed.join("\n")).toMatch(/"action":"verify".*"outcome":"available"/);
    // The printed variables include the logging topic, so the function's records reach the topic.
    expect(localSite.cloud.logs.length).toBeGreaterThan(logged);
    // The sample event of prune-snapshots is a dry run, so invoke does not require --yes.
    expect(await replay(invocations.slice(3), (text) => printed.push(text))).toBe(0);
  });

  describe.concurrent("invoke with the sample events", async () => {
    const definitions = await loadDefinitions();
    const creating = definitions
      .filter((definition) => callsOf(definition, definitions).some((call) => call.includes(".create")))
      .map(({ name }) => name);
    const outcomes: Record<string, string> = {
      "disk-attached.failed-call.json": "skipped",
      "disk-attached.failed-job.json": "skipped",
      "disk-attached.other-trace.json": "skipped",
    };

    test.each(SAMPLES)("invoke runs a function with the sample event %s", { timeout: 60_000 }, async (file) => {
      const [functionName = ""] = file.split(".");
      const lines: string[] = [];
      const code = await replay([functionName, join(ROOT, EVENTS, file)], (text) => lines.push(text));
      const stdout = `${lines.join("\n")}\n`;
      expect({ code, stdout: code === 0 ? "" : stdout }).toEqual({ code: 0, stdout: "" });
      const outcome = outcomes[file] ?? (creating.includes(functionName) ? "accepted" : "done");
      expect(stdout).toContain(`"outcome":"${outcome}"`);
      for (const bad of ["failed", "rejected"]) expect(stdout).not.toContain(`"outcome":"${bad}"`);
      const createdRow = /\n {2}\S*snapshot\S* .* (creating|available)\n/;
      if (outcome === "accepted") expect(stdout).toMatch(createdRow);
      else expect(stdout).toContain("The embedded cloud contains no snapshot.");
    });

    test("test/events/README.md describes every sample event and its source", () => {
      const text = readFileSync(join(ROOT, EVENTS, "README.md"), "utf8");
      const rows = text.split("\n").filter((line) => line.startsWith("| `"));
      const described = rows.flatMap((row) =>
        [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, file]) => file),
      );
      expect(described.sort()).toEqual([...SAMPLES].sort());
      for (const row of rows)
        expect(
          row
            .split("|")
            .map((cell) => cell.trim())
            .filter(Boolean),
        ).toHaveLength(3);
    });

    test("the user_event of each sample timer event has less than 2,048 bytes", () => {
      for (const file of SAMPLES) {
        const event = JSON.parse(readFileSync(join(ROOT, EVENTS, file), "utf8"));
        if (event.user_event) expect(Buffer.byteLength(event.user_event)).toBeLessThan(2_048);
      }
    });
  });

  test("invoke prints the records, the result and the snapshots of a sample event", { timeout: 30_000 }, () => {
    const { status, stdout, stderr } = run(
      "invoke/main.ts",
      "create-snapshot",
      join(EVENTS, "create-snapshot.apig.json"),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain('"outcome":"accepted"');
    expect(stdout).toMatch(/\n {2}snapshot {2}web-1-data {2}replayed\S* +\S+ +(creating|available)\n/);
  });

  const sample = join(ROOT, EVENTS, "create-snapshot.json");
  test.each([
    ["no arguments", [], "expected a function and an event file, got no arguments"],
    ["an unknown function name", ["no-such", sample], 'expected the name of a function, got "no-such"'],
    ["an event file that does not exist", ["create-snapshot", "nowhere.json"], "nowhere.json does not exist"],
    ["a folder instead of an event file", ["create-snapshot", EVENTS], "test/events is not a file"],
    ["an unknown option", ["create-snapshot", "README.txt", "--reel"], "Unknown option '--reel'"],
    ["a superfluous argument", ["create-snapshot", "tsconfig.json", "more"], "got create-snapshot tsconfig.json more"],
    ["--real and an event with a placeholder as an id", ["create-snapshot", sample, "--real"], "got {{volume_id}}"],
  ])("invoke throws BadUsage if it gets %s", async (_what, argv, message) => {
    const called = replay(argv, () => {});
    await expect(called).rejects.toThrow(message);
    await expect(called).rejects.toBeInstanceOf(BadUsage);
  });

  test("invoke exits with 2 and prints the function names if it gets no arguments", () => {
    const { status, stderr } = run("invoke/main.ts");
    expect(status).toBe(2);
    expect(stderr).toContain("expected a function and an event file, got no arguments");
    expect(stderr).toContain("Functions: create-");
  });
});

test("the tour prints each failed call of a function as a problem", async () => {
  const result = { statusCode: 202, headers: { "x-snapshot-outcome": "accepted" }, isBase64Encoded: false };
  const sources = {
    "create-snapshot": `exports.handler = async () => { throw new Error("no good"); };`,
    "create-standard-snapshot": `
      let calls = 0;
      exports.handler = async () => ({ ...${JSON.stringify({ ...result, statusCode: 429, headers: {} })},
        body: JSON.stringify({ error: { code: "Throttled", message: "later", n: ++calls } }) });`,
  };
  const { dist, remove } = writeBundles(sources);
  const lines: string[] = [];
  const plain = createScreen(process.stdout, { NO_COLOR: "1" });
  const screen: Screen = { ...plain, terminal: false, line: (text = "") => lines.push(text), update: () => {} };
  const tour = await runTour(screen, dist);
  await tour.close();
  remove();
  expect(tour.problems).toEqual([
    expect.stringMatching(/^POST \/create-snapshot web-1-data: .*accepted, got 500: .*no good/),
    expect.stringMatching(/^POST \/create-standard-snapshot web-1-system: .*accepted, got 429: .*later/),
    expect.stringMatching(/^POST \/create-snapshot-group database-1: expected the outcome accepted, got 404/),
    expect.stringMatching(/^POST \/create-cluster-snapshot warehouse: expected the outcome accepted, got 404/),
    expect.stringMatching(/^TIMER nightly 4 kinds: There is no function "scheduled-snapshots"/),
    expect.stringMatching(/^CTS attachVolume x 2 archive: There is no function "disk-attached"/),
    expect.stringMatching(/^POST \/pre-deploy release-7: expected 202 and later 200, got 404/),
  ]);
  expect(lines.join("\n")).toContain("Problems:");
});

describe("the records in the output of functions", () => {
  const record = { version: 1, time: "2026-11-21T02:00:00.000Z", function: "f", request_id: "r", action: "create" };
  const records = ["accepted", "existing"].map((outcome) => ({ ...record, outcome }) as ResultRecord);

  test("parseRecord returns undefined if a printed line is not a result record", () => {
    expect(parseRecord(JSON.stringify(records[0]))).toEqual(records[0]);
    for (const text of ["", "text", "{", "null", "{}", '{"version":1}', "[1]"]) {
      expect(parseRecord(text)).toBeUndefined();
    }
  });

  test("missingFromTopic returns a record that a function printed more often than the logging topic contains it", () => {
    const [first, second] = records as [ResultRecord, ResultRecord];
    const cloud = { logs: [{ line: first }, { line: "no record" }] } as unknown as EmbeddedCloud;
    expect(missingFromTopic([first], cloud)).toEqual([]);
    expect(missingFromTopic([first, second, first], cloud)).toEqual([second, first]);
  });
});

describe("the placeholders of stored events", () => {
  const values = { volume_id: "v-1", now_ms: 5 };

  test('fillPlaceholders replaces placeholders in strings, and replaces the string "{{now_ms}}" with a number', () => {
    const event = { cts: { time: "{{now_ms}}", ids: ["{{volume_id}}"], text: "{{volume_id}} at {{now_ms}}", n: 1 } };
    expect(fillPlaceholders(event, values)).toEqual({ cts: { time: 5, ids: ["v-1"], text: "v-1 at 5", n: 1 } });
    expect(placeholdersIn(event)).toEqual(["now_ms", "volume_id"]);
  });

  test("fillPlaceholders replaces placeholders inside a base64 body", () => {
    const body = (text: string) => ({ isBase64Encoded: true, body: Buffer.from(text).toString("base64") });
    expect(fillPlaceholders(body('{"id":"{{volume_id}}"}'), values)).toEqual(body('{"id":"v-1"}'));
    expect(placeholdersIn(body("{{volume_id}}"))).toEqual(["volume_id"]);
  });

  test("fillPlaceholders throws an error that names the placeholder if the placeholder has no value", () => {
    expect(() => fillPlaceholders({ a: "{{server_id}}" }, values)).toThrow("{{server_id}}");
  });
});

describe("the screen of the tour", () => {
  const collect = (isTTY: boolean, environment: Record<string, string>) => {
    const written: string[] = [];
    const out = { isTTY, columns: 20, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const screen = createScreen(out, environment);
    screen.update("a line that is longer than the terminal is wide");
    screen.line(screen.style.good("done"));
    return written;
  };

  test("the screen of the tour overwrites its progress line and uses colors only on a terminal", () => {
    expect(collect(true, {})).toEqual(["a line that is long", "\r\x1b[2K", "\x1b[32mdone\x1b[39m\n"]);
    expect(collect(false, {})).toEqual(["done\n"]);
  });

  test("the screen of the tour uses no colors if NO_COLOR is set or TERM is dumb", () => {
    expect(collect(true, { NO_COLOR: "1" }).at(-1)).toBe("done\n");
    expect(collect(true, { TERM: "dumb" }).at(-1)).toBe("done\n");
  });
});

test("formatTable aligns text columns to the left and number columns to the right", () => {
  const table = formatTable(
    ["name", "seconds"],
    [
      ["a", "1.5"],
      ["longer", ""],
    ],
  );
  expect(table).toEqual(["name    seconds", "a           1.5", "longer"]);
});

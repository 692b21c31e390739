import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../../infra/local/cloud/index.ts";
import { fillPlaceholders, placeholdersIn } from "../../../infra/local/tour/placeholders.ts";
import { missingFromTopic, parseRecord, type ResultRecord } from "../../../infra/local/tour/records.ts";
import { makeScreen, type Screen } from "../../../infra/local/tour/screen.ts";
import { formatTable } from "../../../infra/local/tour/table.ts";
import { runTour } from "../../../infra/local/tour/tour.ts";
import { makeBundles } from "./host/bundles.ts";

const ROOT = join(__dirname, "..", "..", "..");
const TSX = createRequire(__filename).resolve("tsx/cli");
const KINDS = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];

/** A script of infra/local, run as its npm script runs it. */
function run(script: string, ...argv: string[]): SpawnSyncReturns<string> {
  const { INIT_CWD: _, ...env } = process.env;
  return spawnSync(process.execPath, [TSX, join("infra", "local", script), ...argv], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 50_000,
    env,
  });
}

describe("with the built functions", () => {
  beforeAll(() => {
    if (!existsSync(join(ROOT, "dist", "create-snapshot", "index.js"))) throw new Error("npm run build comes first");
  });

  test("the tour ends by itself, with every snapshot available", { timeout: 60_000 }, () => {
    const started = performance.now();
    const { status, stdout, stderr } = run("start.ts", "--once");
    expect({ status, stderr, stdout: status === 0 ? "" : stdout }).toEqual({ status: 0, stderr: "", stdout: "" });
    expect(performance.now() - started).toBeLessThan(20_000);

    const lines = stdout.split("\n");
    expect(lines.filter((line) => line.startsWith("  ") && line.includes("sent again: existing"))).toHaveLength(4);
    for (const kind of KINDS) {
      const row = lines.find((line) => line.startsWith(`${kind} `));
      expect(row).toMatch(/ [0-9a-f-]{32,36} +http +available +\d+\.\d$/);
    }
    expect(stdout).toMatch(/\n4 snapshots available, all \d+ records in the logging topic\n$/);
    // No terminal, so neither colours nor lines that are updated in place.
    for (const control of ["\x1b", "\r"]) expect(stdout).not.toContain(control);
  });

  test.each(["create-snapshot.json", "create-snapshot.apig.json"])(
    "invoke replays %s",
    { timeout: 30_000 },
    (event) => {
      const { status, stdout, stderr } = run("invoke.ts", "create-snapshot", join("test", "events", event));
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain('"outcome":"accepted"');
      expect(stdout).toMatch(/\n {2}snapshot {2}web-1-data {2}replayed\S* +\S+ +(creating|available)\n/);
    },
  );

  test.each([
    [[], "expected a function and the file of an event, got nothing"],
    [["no-such", "test/events/create-snapshot.json"], 'expected a function, got "no-such"'],
    [["create-snapshot", "nowhere.json"], "there is no nowhere.json"],
    [["create-snapshot", "README.txt", "--reel"], "expected no option but --real, got --reel"],
    [["create-snapshot", "tsconfig.json", "more"], "got create-snapshot tsconfig.json more"],
    [["create-snapshot", "test/events/create-snapshot.json", "--real"], "got {{volume_id}}"],
  ])("invoke %j is bad usage", (argv, message) => {
    const { status, stderr } = run("invoke.ts", ...argv);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain("functions: create-");
  });
});

test("the tour tells what is not as it should be", async () => {
  const answer = { statusCode: 202, headers: { "x-snapshot-outcome": "accepted" }, isBase64Encoded: false };
  const sources = {
    "create-snapshot": `exports.handler = async () => { throw new Error("no good"); };`,
    "create-standard-snapshot": `
      let calls = 0;
      exports.handler = async () => ({ ...${JSON.stringify({ ...answer, statusCode: 429, headers: {} })},
        body: JSON.stringify({ error: { code: "Throttled", message: "later", n: ++calls } }) });`,
  };
  const { dist, remove } = makeBundles(sources);
  const lines: string[] = [];
  const plain = makeScreen(process.stdout, { NO_COLOR: "1" });
  const screen: Screen = { ...plain, terminal: false, line: (text = "") => lines.push(text), update: () => {} };
  const tour = await runTour(screen, dist);
  await tour.close();
  remove();
  expect(tour.missing).toEqual([
    expect.stringMatching(/^POST \/create-snapshot web-1-data: answered 500 .*Error: no good/),
    expect.stringMatching(/^POST \/create-standard-snapshot archive: answered 429 .*later/),
    expect.stringMatching(/^POST \/create-snapshot-group database-1: answered 404/),
    expect.stringMatching(/^POST \/create-cluster-snapshot warehouse: answered 404/),
  ]);
  expect(lines.join("\n")).toContain("Not as it should be:");
});

describe("records", () => {
  const record = { version: 1, time: "2026-11-21T02:00:00.000Z", function: "f", request_id: "r", action: "create" };
  const records = ["accepted", "existing"].map((outcome) => ({ ...record, outcome }) as ResultRecord);

  test("are told from other lines", () => {
    expect(parseRecord(JSON.stringify(records[0]))).toEqual(records[0]);
    for (const text of ["", "text", "{", "null", "{}", '{"version":1}', "[1]"]) {
      expect(parseRecord(text)).toBeUndefined();
    }
  });

  test("that the topic did not get are found, each as often as it is missing", () => {
    const [first, second] = records as [ResultRecord, ResultRecord];
    const cloud = { logs: [{ line: first }, { line: "no record" }] } as unknown as EmbeddedCloud;
    expect(missingFromTopic([first], cloud)).toEqual([]);
    expect(missingFromTopic([first, second, first], cloud)).toEqual([second, first]);
  });
});

describe("placeholders", () => {
  const values = { volume_id: "v-1", now_ms: 5 };

  test("are filled in texts, alone also as a number", () => {
    const event = { cts: { time: "{{now_ms}}", ids: ["{{volume_id}}"], text: "{{volume_id}} at {{now_ms}}", n: 1 } };
    expect(fillPlaceholders(event, values)).toEqual({ cts: { time: 5, ids: ["v-1"], text: "v-1 at 5", n: 1 } });
    expect(placeholdersIn(event)).toEqual(["now_ms", "volume_id"]);
  });

  test("are filled inside a base64 body", () => {
    const body = (text: string) => ({ isBase64Encoded: true, body: Buffer.from(text).toString("base64") });
    expect(fillPlaceholders(body('{"id":"{{volume_id}}"}'), values)).toEqual(body('{"id":"v-1"}'));
    expect(placeholdersIn(body("{{volume_id}}"))).toEqual(["volume_id"]);
  });

  test("without a value are an error", () => {
    expect(() => fillPlaceholders({ a: "{{server_id}}" }, values)).toThrow("{{server_id}}");
  });
});

describe("the screen", () => {
  const collect = (isTTY: boolean, environment: Record<string, string>) => {
    const written: string[] = [];
    const out = { isTTY, columns: 20, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const screen = makeScreen(out, environment);
    screen.update("a line that is longer than the terminal is wide");
    screen.line(screen.style.good("done"));
    return written;
  };

  test("updates in place and colours on a terminal alone", () => {
    expect(collect(true, {})).toEqual(["a line that is long", "\r\x1b[2K", "\x1b[32mdone\x1b[39m\n"]);
    expect(collect(false, {})).toEqual(["done\n"]);
  });

  test("respects NO_COLOR and a dumb terminal", () => {
    expect(collect(true, { NO_COLOR: "1" }).at(-1)).toBe("done\n");
    expect(collect(true, { TERM: "dumb" }).at(-1)).toBe("done\n");
  });
});

test("a table is aligned, numbers to the right", () => {
  const table = formatTable(
    ["name", "seconds"],
    [
      ["a", "1.5"],
      ["longer", ""],
    ],
  );
  expect(table).toEqual(["name    seconds", "a           1.5", "longer"]);
});

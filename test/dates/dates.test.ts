/** Tests that `npm run test:dates` sets every clock that a test can read, and that it excludes no test file by mistake. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { DATES, environmentOf, filesOf, runs, SLOW, stopsDate, testFiles, WITHOUT_DATE, ZONES } from "./plan.ts";

/** Runs a program with its clock set to a moment. Returns the JSON values that the program prints. */
function outputAt(moment: string, program: string): unknown {
  const run = { date: { name: "", at: () => moment, slowIn: ZONES[0] }, zone: ZONES[0] } as const;
  const { TEST_CLOCK_OFFSET_MS: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", program], {
    env: { ...env, TZ: "Asia/Shanghai", ...environmentOf(run) },
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test("test:dates changes the date that Date.now(), new Date(), Date() and subclasses of Date return", () => {
  const program = `
    const day = (date) => new Date(date).toISOString().slice(0, 10);
    class Own extends Date {}
    console.log(JSON.stringify([day(Date.now()), day(new Date()), day(Date()), day(new Own())]));
    console.log(JSON.stringify([new Date() instanceof Date, new Own() instanceof Own, new Date().constructor === Date]));
    console.log(JSON.stringify([new Date(0).getTime(), Date.UTC(1970, 0, 2), new Date(1970, 0, 1).getTime()]));
    console.log(JSON.stringify(performance.now() < 60_000));`;
  const day = "2031-05-05";
  expect(outputAt(`${day}T12:00:00Z`, program)).toEqual([
    [day, day, day, day],
    [true, true, true],
    [0, 86_400_000, -28_800_000],
    true,
  ]);
});

test("test:dates changes the date in worker threads, in child processes and in the Date headers of HTTP responses", () => {
  const program = `
    const say = "console.log(JSON.stringify([new Date().getUTCFullYear(), process.env.TZ]))";
    const { spawn } = require("node:child_process");
    const { Worker } = require("node:worker_threads");
    const { createServer } = require("node:http");
    (async () => {
      const child = spawn(process.execPath, ["-e", say], { env: {}, stdio: "inherit" });
      await new Promise((resolve) => child.once("close", resolve));
      await new Promise((resolve) => new Worker(say, { eval: true }).once("exit", resolve));
      const server = createServer((request, response) => response.end()).listen(0, "127.0.0.1", async () => {
        const { headers } = await fetch("http://127.0.0.1:" + server.address().port);
        console.log(JSON.stringify(new Date(headers.get("date")).getUTCFullYear()));
        server.close();
      });
    })();`;
  expect(outputAt("2031-05-05T12:00:00Z", program)).toEqual([[2031, "Asia/Shanghai"], [2031, "Asia/Shanghai"], 2031]);
});

test("test:dates runs tests at each date in each time zone, and with the option --part only on a leap day and at the end of a year", () => {
  expect(runs(false)).toHaveLength(DATES.length * ZONES.length);
  expect(runs(true).map(({ date }) => date.name)).toEqual(["29 February 2028", "31 December 2026, 23:59"]);
});

test("for each date, test:dates runs each slow test file in only one time zone, and each pattern of slow or excluded files matches a test file", () => {
  for (const pattern of [...WITHOUT_DATE, ...SLOW]) {
    expect([pattern, testFiles().some((path) => pattern.test(path))]).toEqual([pattern, true]);
  }
  for (const date of DATES) {
    const files = ZONES.flatMap((zone) => filesOf({ date, zone }));
    expect(SLOW.map((pattern) => files.filter((path) => pattern.test(path)).length)).toEqual(SLOW.map(() => 1));
  }
});

test("in each time zone, test:dates runs each file in test/functions at every date, or only at the first date if the file freezes the date", () => {
  const ofFunctions = (files: string[]) => files.filter((path) => path.startsWith("functions/"));
  const all = ofFunctions(testFiles());
  expect(all.some(stopsDate)).toBe(true);
  for (const run of runs(false)) {
    const expected = run.date === DATES[0] ? all : all.filter((path) => !stopsDate(path));
    expect(ofFunctions(filesOf(run))).toEqual(expected);
  }
});

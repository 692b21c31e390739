// One instance of a function for the fuzz: a process that loads a built bundle and answers one request after the other over
// IPC, on a clock that jumps over waiting. Arguments: the bundle's folder, and what the clock says at first.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { inspect } = require("node:util");
const { makeContext } = require("../../infra/local/host/context.cjs");
const { installVirtualTime } = require("./virtual-time.cjs");

const [folder, origin] = process.argv.slice(2);
const send = process.send.bind(process);
const writeOut = process.stdout.write.bind(process.stdout);
const writeErr = process.stderr.write.bind(process.stderr);

const answers = new Map();
let exchanges = 0;
const time = installVirtualTime(Number(origin), (now) => {
  exchanges += 1;
  send({ exchange: exchanges, now });
  return new Promise((resolve) => answers.set(exchanges, resolve));
});

/** The same numbers for the same seed, so that a pause has the same length again. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The largest resident set since the parent has reset it; undefined where it cannot be read. */
function readPeak() {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"));
    return Number(kb) * 1024;
  } catch {
    return undefined;
  }
}

let handler;

async function run({ event, context, remainingMs, seed }) {
  Math.random = randomOf(seed);
  time.run(true);
  const began = time.now();
  const outcome = {};
  try {
    // Loaded with the first request, as the platform does.
    handler ??= require(join(folder, "index.js")).handler;
    const value = await handler(
      event,
      makeContext({ ...context, deadline: Math.round(began) + remainingMs }, writeOut),
    );
    // What it takes to pass a large result on is not the function's.
    outcome.peakBytes = readPeak();
    outcome.result = JSON.stringify(value) ?? "null";
  } catch (thrown) {
    outcome.peakBytes = readPeak();
    const isError = thrown instanceof Error;
    // The platform shows the message; what else an error carries may be printed too.
    outcome.error = { isError, message: isError ? thrown.message : String(thrown), printed: inspect(thrown) };
  }
  outcome.tookMs = time.now() - began;
  time.run(false);
  const mark = `\u0000${context.requestId}\u0000\n`;
  writeOut(mark);
  writeErr(mark);
  send({ outcome });
}

process.on("message", (message) => {
  if (message.run !== undefined) return void run(message.run);
  answers.get(message.exchange)?.();
  answers.delete(message.exchange);
});
process.on("disconnect", () => process.exit());

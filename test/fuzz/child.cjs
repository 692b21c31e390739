// Runs one instance of a function for the fuzz. The process loads a built bundle and executes one request after the other from
// IPC, with a clock that jumps over waiting. Arguments: the folder of the bundle, and the first time of the clock.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { inspect } = require("node:util");
const { createContext } = require("../../infra/local/host/context.cjs");
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

/** Returns numbers that are the same for the same seed, so repeated cases have the same pauses. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns the largest resident set since the parent reset it, or undefined if it cannot be read. */
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
    // The platform loads the bundle with the first request too.
    handler ??= require(join(folder, "index.js")).handler;
    const value = await handler(
      event,
      createContext({ ...context, deadline: Math.round(began) + remainingMs }, writeOut),
    );
    // Read before the result is serialized, because the function does not use that memory.
    outcome.peakBytes = readPeak();
    outcome.result = JSON.stringify(value) ?? "null";
  } catch (thrown) {
    outcome.peakBytes = readPeak();
    const isError = thrown instanceof Error;
    // The platform shows the message, and may print the other fields of an error.
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

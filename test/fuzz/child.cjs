// Runs one instance of a function for the fuzz. The process loads a built bundle and executes requests from IPC one at a time. Its
// clock skips waiting times. Arguments: the folder of the bundle, and the start time of the clock in epoch milliseconds.
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

const pendingExchanges = new Map();
let exchanges = 0;
const time = installVirtualTime(Number(origin), (now) => {
  exchanges += 1;
  send({ exchange: exchanges, now });
  return new Promise((resolve) => pendingExchanges.set(exchanges, resolve));
});

/** Returns a generator whose numbers depend only on the seed. The backoff times of a case are therefore the same in every run. */
function createRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns the peak RSS in bytes since the parent process reset the peak, or undefined if Linux does not report it. */
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
  Math.random = createRandom(seed);
  time.run(true);
  const began = time.now();
  const outcome = {};
  try {
    // Load the bundle at the first invocation, as the platform does.
    handler ??= require(join(folder, "index.js")).handler;
    const value = await handler(
      event,
      createContext({ ...context, deadline: Math.round(began) + remainingMs }, writeOut),
    );
    // Read the peak before serializing the result, because the function does not need that memory.
    outcome.peakBytes = readPeak();
    outcome.result = JSON.stringify(value) ?? "null";
  } catch (thrown) {
    outcome.peakBytes = readPeak();
    const isError = thrown instanceof Error;
    // The platform returns the message to the caller and may print the other fields of the error.
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
  pendingExchanges.get(message.exchange)?.();
  pendingExchanges.delete(message.exchange);
});
process.on("disconnect", () => process.exit());

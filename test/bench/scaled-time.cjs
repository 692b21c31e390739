// Makes a process's time run faster, so that a run of minutes is measured in seconds. What is counted stays what it is:
// pauses and the cloud's rate limit are scaled alike; the work of the process itself is not, and so counts for more.
"use strict";

exports.scaleTime = (factor) => {
  const now = Date.now.bind(Date);
  const origin = now();
  Date.now = () => Math.round(origin + (now() - origin) * factor);
  // Scale the global `performance` only, so that a benchmark measures real time with `node:perf_hooks`.
  const { performance } = globalThis;
  const began = performance.now();
  const scaled = { now: () => began + (performance.now() - began) * factor };
  Object.defineProperty(globalThis, "performance", { value: scaled, configurable: true });
  const { setTimeout: wait } = globalThis;
  globalThis.setTimeout = (work, milliseconds, ...values) => wait(work, milliseconds / factor, ...values);
  const timers = require("node:timers/promises");
  const sleep = timers.setTimeout;
  timers.setTimeout = (milliseconds, ...values) => sleep(milliseconds / factor, ...values);
};

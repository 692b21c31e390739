// Makes the clock and the timers of a process run faster, so a run of minutes takes seconds. CPU work is not faster, so it takes
// a larger share of a run than in reality.
"use strict";

exports.scaleTime = (factor) => {
  const now = Date.now.bind(Date);
  const origin = now();
  Date.now = () => Math.round(origin + (now() - origin) * factor);
  // Replace only the global `performance`. The bench measures real time with `performance` from node:perf_hooks.
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

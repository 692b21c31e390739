// Sets the clock of a process, and of every process and thread that it starts, to TEST_CLOCK. The clock then runs at normal
// speed:
//   TEST_CLOCK=2027-03-01T12:00:00Z NODE_OPTIONS='--require "<this file>"' npm test
// Monotonic time (`performance.now`, timers) does not change.
"use strict";
const { ChildProcess } = require("node:child_process");
const { subscribe } = require("node:diagnostics_channel");

const RealDate = Date;
const realNow = RealDate.now;
// The first process computes the offset from TEST_CLOCK. Its child processes inherit the offset, so all clocks agree.
process.env.TEST_CLOCK_OFFSET_MS ??= String(RealDate.parse(process.env.TEST_CLOCK) - realNow());
const offset = Number(process.env.TEST_CLOCK_OFFSET_MS);
if (!Number.isFinite(offset)) {
  throw new Error(`TEST_CLOCK: expected a moment such as 2027-03-01T12:00:00Z, got "${process.env.TEST_CLOCK}"`);
}

const now = () => realNow() + offset;
const ShiftedDate = new Proxy(RealDate, {
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length > 0 ? values : [now()], newTarget === ShiftedDate ? target : newTarget),
  apply: () => new RealDate(now()).toString(),
});
RealDate.now = now;
RealDate.prototype.constructor = ShiftedDate;
globalThis.Date = ShiftedDate;

// Node.js sets the `Date` header of a response without calling `Date`.
subscribe("http.server.request.start", ({ response }) => {
  response.setHeader("Date", new RealDate(now()).toUTCString());
});

// Pass the clock and the time zone to each child process, even if the parent process sets other environment variables for it.
const INHERITED = ["NODE_OPTIONS", "TEST_CLOCK_OFFSET_MS", "TZ"];
const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function (options) {
  const given = new Set(options.envPairs?.map((pair) => pair.slice(0, pair.indexOf("="))));
  const added = INHERITED.filter((name) => !given.has(name) && process.env[name] !== undefined);
  const envPairs = [...(options.envPairs ?? []), ...added.map((name) => `${name}=${process.env[name]}`)];
  return spawn.call(this, { ...options, envPairs });
};

// Replaces a process's clocks and timers with a clock that counts the CPU time of the process and jumps over waiting. A
// pause of minutes costs nothing, a computation costs what it takes, and a machine that is busy with other work changes
// neither. `new Date()` keeps the machine's time, because signatures are checked against it.
"use strict";
const http = require("node:http");
const timersPromises = require("node:timers/promises");

/** As Node.js: what is longer, or is no number, counts as one millisecond. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * @param origin    what the clock says at first, in epoch milliseconds
 * @param exchange  tells the peer the time; resolves once the peer has read all that was sent to it before
 */
exports.installVirtualTime = (origin, exchange) => {
  const queue = new Set();
  /** HTTP requests that have not ended. */
  const open = new Set();
  let skipped = 0;
  /** Grows with everything that happens. */
  let events = 0;
  let running = false;
  let pumping = false;

  const now = () => {
    const { user, system } = process.cpuUsage();
    return origin + skipped + (user + system) / 1000;
  };

  const start = (work, milliseconds) => {
    const delay = milliseconds >= 1 && milliseconds <= MAX_DELAY_MS ? milliseconds : 1;
    const timer = { at: now() + delay, work };
    for (const name of ["ref", "unref"]) timer[name] = () => timer;
    queue.add(timer);
    events += 1;
    void pump();
    return timer;
  };

  const fireDue = () => {
    const due = [...queue].filter(({ at }) => at <= now()).sort((a, b) => a.at - b.at);
    for (const timer of due) {
      // One that fired before may have cleared it.
      if (!queue.delete(timer)) continue;
      events += 1;
      timer.work();
    }
    return due.length > 0;
  };

  /** What happened so far: while it stays the same, nothing happens. */
  const activity = () => {
    let bytes = 0;
    for (const { socket } of open) bytes += (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0);
    return `${events} ${bytes}`;
  };

  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** Whether nothing happens by itself any more: the peer has nothing left to send that it does not hold back. */
  const isIdle = async () => {
    const before = activity();
    for (let round = 0; round < 3; round += 1) {
      await turn();
      if (open.size > 0) await exchange(now());
      await turn();
      if (activity() !== before) return false;
    }
    return true;
  };

  const pump = async () => {
    if (pumping) return;
    pumping = true;
    while (running && queue.size > 0) {
      await turn();
      if (fireDue() || !(await isIdle())) continue;
      const next = Math.min(...[...queue].map(({ at }) => at));
      if (!running || !Number.isFinite(next)) continue;
      await exchange(next);
      skipped += Math.max(0, next - now());
      fireDue();
    }
    pumping = false;
  };

  Date.now = () => Math.round(now());
  Object.defineProperty(globalThis, "performance", { value: { now: () => now() - origin }, configurable: true });
  globalThis.setTimeout = (work, milliseconds, ...values) => start(() => work(...values), milliseconds);
  globalThis.clearTimeout = (timer) => void queue.delete(timer);
  timersPromises.setTimeout = (milliseconds, value, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        queue.delete(timer);
        reject(Object.assign(new Error("The operation was aborted"), { name: "AbortError", cause: signal.reason }));
      };
      const timer = start(() => {
        signal?.removeEventListener("abort", abort);
        resolve(value);
      }, milliseconds);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  const { request } = http;
  http.request = (...values) => {
    const outgoing = request(...values);
    open.add(outgoing);
    events += 1;
    outgoing.once("close", () => {
      open.delete(outgoing);
      events += 1;
    });
    return outgoing;
  };

  return {
    now,
    /** Lets time pass, or stops it: between two invocations the platform freezes an instance. */
    run(passes) {
      running = passes;
      if (passes) void pump();
    },
  };
};

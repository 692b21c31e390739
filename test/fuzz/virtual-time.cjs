// Replaces the clocks and timers of a process. The new clock advances with the CPU time of the process and skips waiting times. A
// pause of minutes takes no real time, and a busy machine does not change the measured times. `new Date()` still returns the
// machine's time, because the embedded cloud compares the times of signatures with it.
"use strict";
const http = require("node:http");
const timersPromises = require("node:timers/promises");

/** The maximum delay of a timer in milliseconds. Node.js treats a longer delay, or a delay that is not a number, as 1 ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Installs the virtual clock and its timers in this process.
 *
 * @param origin    the start time of the clock, in epoch milliseconds
 * @param exchange  sends the time to the parent process; resolves when that process has read all earlier data
 */
exports.installVirtualTime = (origin, exchange) => {
  const queue = new Set();
  /** The HTTP requests that have no complete response yet. */
  const open = new Set();
  let skipped = 0;
  /** The number of timers and requests that were started or finished so far. */
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
      // A timer that fired earlier in this loop may have cancelled this timer.
      if (!queue.delete(timer)) continue;
      events += 1;
      timer.work();
    }
    return due.length > 0;
  };

  /** Returns a value that changes with every event and every byte that a request sends or receives. */
  const activity = () => {
    let bytes = 0;
    for (const { socket } of open) bytes += (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0);
    return `${events} ${bytes}`;
  };

  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  /**
   * Returns whether only a timer can cause the next event. In this case the embedded cloud has sent every response that it does
   * not delay.
   */
  const isIdle = async () => {
    const before = activity();
    for (let round = 0; round < 3; round += 1) {
      await nextTurn();
      if (open.size > 0) await exchange(now());
      await nextTurn();
      if (activity() !== before) return false;
    }
    return true;
  };

  const pump = async () => {
    if (pumping) return;
    pumping = true;
    while (running && queue.size > 0) {
      await nextTurn();
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
    /** Starts or stops the virtual time. Stop it between two invocations, because the platform freezes an idle instance. */
    run(passes) {
      running = passes;
      if (passes) void pump();
    },
  };
};

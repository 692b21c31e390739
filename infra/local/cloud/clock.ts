/**
 * The clock of the embedded cloud. It determines the statuses and creation times of resources, and how fast the rate limit
 * refills. The embedded cloud checks signatures on the wall clock instead, because callers sign with the wall clock. The embedded
 * cloud has no timers: for each request, it computes the statuses of its resources from `now()`.
 */
export interface CloudClock {
  /** Returns the current time in epoch milliseconds. */
  now(): number;
}

/** The real time of the machine. */
export const wallClock: CloudClock = { now: () => Date.now() };

/** A clock that changes only when a test calls `advance` or `set`. */
export class StoppedClock implements CloudClock {
  #now: number;

  constructor(time: number | string | Date = Date.now()) {
    this.#now = toEpochMs(time);
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  set(time: number | string | Date): void {
    this.#now = toEpochMs(time);
  }
}

/** A clock that starts at the time `start` and runs `factor` times as fast as the wall clock. */
export class ScaledClock implements CloudClock {
  readonly #factor: number;
  readonly #start: number;
  readonly #origin: number;

  constructor(factor: number, start: number | string | Date = Date.now()) {
    this.#factor = factor;
    this.#start = toEpochMs(start);
    this.#origin = performance.now();
  }

  now(): number {
    return this.#start + (performance.now() - this.#origin) * this.#factor;
  }
}

/** Converts a time to epoch milliseconds. Interprets a string without a time zone as UTC. */
export function toEpochMs(time: number | string | Date): number {
  const ms = typeof time === "number" ? time : typeof time === "string" ? Date.parse(withZone(time)) : time.getTime();
  if (!Number.isFinite(ms)) throw new Error(`Not a time: ${String(time)}`);
  return ms;
}

/** Appends `Z` to an EVS time, because EVS omits the time zone of its UTC times (SOURCES.md#evs-times-without-zone). */
function withZone(text: string): string {
  return /T[\d:.]+$/.test(text) ? `${text}Z` : text;
}

/** Formats a time as EVS does: `YYYY-MM-DDTHH:MM:SS.XXXXXX` in UTC (SOURCES.md#evs-times-without-zone). */
export function bareTime(ms: number, microseconds = 0): string {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(microseconds % 1000).padStart(3, "0")}`;
}

/** Formats a time as DWS does: `YYYY-MM-DDThh:mm:ssZ` (SOURCES.md#dws-times). */
export function formatDwsTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

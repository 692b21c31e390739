/**
 * The clock of the cloud. It determines when a snapshot becomes available, the value of `created_at`, and how fast the rate
 * limit refills. Signatures are checked on the wall clock instead, because callers sign with the wall clock. The cloud has no
 * timers: it computes every status from `now()` at the time of the request.
 */
export interface CloudClock {
  /** Returns the current time in epoch milliseconds. */
  now(): number;
}

export const wallClock: CloudClock = { now: () => Date.now() };

/** A clock that moves only by `advance` and `set`. */
export class StoppedClock implements CloudClock {
  #now: number;

  constructor(at: number | string | Date = Date.now()) {
    this.#now = epoch(at);
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  set(at: number | string | Date): void {
    this.#now = epoch(at);
  }
}

/** A clock that starts at `start` and runs `factor` times as fast as the wall clock. */
export class ScaledClock implements CloudClock {
  readonly #factor: number;
  readonly #start: number;
  readonly #origin: number;

  constructor(factor: number, start: number | string | Date = Date.now()) {
    this.#factor = factor;
    this.#start = epoch(start);
    this.#origin = performance.now();
  }

  now(): number {
    return this.#start + (performance.now() - this.#origin) * this.#factor;
  }
}

/** Converts a time to epoch milliseconds. A string without a zone is UTC. */
export function epoch(at: number | string | Date): number {
  const ms = typeof at === "number" ? at : typeof at === "string" ? Date.parse(withZone(at)) : at.getTime();
  if (!Number.isFinite(ms)) throw new Error(`Not a time: ${String(at)}`);
  return ms;
}

/** Adds `Z` to an EVS time, because it is UTC but has no zone (SOURCES.md#evs-times-without-zone). */
function withZone(text: string): string {
  return /T[\d:.]+$/.test(text) ? `${text}Z` : text;
}

/** Formats an EVS time as `YYYY-MM-DDTHH:MM:SS.XXXXXX` in UTC (SOURCES.md#evs-times-without-zone). */
export function bareTime(ms: number, microseconds = 0): string {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(microseconds % 1000).padStart(3, "0")}`;
}

/** Formats a time of DWS as `YYYY-MM-DDThh:mm:ssZ` (SOURCES.md#dws-times). */
export function zonedSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

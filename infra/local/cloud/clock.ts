/**
 * The states' clock: when a snapshot becomes available, what `created_at` says, how fast the rate limit refills.
 * Signatures are checked on the wall clock instead, as the callers sign with it. No state has a timer: every status is
 * computed from `now()` when somebody asks, so a clock that stands still or runs fast needs nothing else.
 */
export interface CloudClock {
  /** Epoch milliseconds. */
  now(): number;
}

export const wallClock: CloudClock = { now: () => Date.now() };

/** Stands still until it is told to move. */
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

/** Runs `factor` times as fast as the wall clock, from `start` on. */
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

export function epoch(at: number | string | Date): number {
  const ms = typeof at === "number" ? at : typeof at === "string" ? Date.parse(zoned(at)) : at.getTime();
  if (!Number.isFinite(ms)) throw new Error(`Not a time: ${String(at)}`);
  return ms;
}

/** EVS times carry no zone and are UTC (cloud-apis.md 1.1); `Date.parse` would read them as local. */
function zoned(text: string): string {
  return /T[\d:.]+$/.test(text) ? `${text}Z` : text;
}

/** `YYYY-MM-DDTHH:MM:SS.XXXXXX`: UTC, microseconds, no zone (seed 001). */
export function bareTime(ms: number, microseconds = 0): string {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(microseconds % 1000).padStart(3, "0")}`;
}

/** `YYYY-MM-DDThh:mm:ssZ`: DWS (cloud-apis.md 3). */
export function zonedSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Reuses warm instances of the functions for several cases. */
import { readdirSync } from "node:fs";
import { StoppedClock } from "../../infra/local/cloud/index.ts";
import { DIST } from "../bench/process.ts";
import { type Instance, startInstance } from "./instance.ts";

const START = "2026-11-21T02:00:00Z";
/** The number of cases after which an instance is replaced, so some cases run in a cold instance. */
const MAX_CASES = 150;

/** A warm instance and the clock of its embedded cloud. Both have the same time. */
export interface Warm {
  instance: Instance;
  clock: StoppedClock;
}

export interface Instances {
  /** The names of all functions. */
  readonly names: readonly string[];
  get(functionName: string): Warm;
  /** Stops the instance of a function, so the next case gets a new instance. */
  discard(functionName: string): void;
  end(): Promise<void>;
}

export function startInstances(): Instances {
  const entries = readdirSync(DIST, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const warm = new Map<string, Warm & { cases: number }>();
  return {
    names,
    get(functionName) {
      const known = warm.get(functionName);
      if (known?.instance.alive && known.cases < MAX_CASES) {
        known.cases += 1;
        return known;
      }
      void known?.instance.end();
      const clock = new StoppedClock(START);
      const instance = startInstance(functionName, clock.now(), (now) => clock.set(now));
      const started = { instance, clock, cases: 1 };
      warm.set(functionName, started);
      return started;
    },
    discard(functionName) {
      void warm.get(functionName)?.instance.end();
      warm.delete(functionName);
    },
    async end() {
      await Promise.all([...warm.values()].map(({ instance }) => instance.end()));
    },
  };
}

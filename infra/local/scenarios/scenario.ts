import type { CloudOptions } from "../cloud/index.ts";
import type { Check } from "./checks.ts";
import type { ScenarioEnvironment } from "./environment.ts";

/** A fault that a person wants to see survived: what happens to the embedded cloud, and what must be true afterwards. */
export interface Scenario {
  /** The name on the command line, such as `lost-reply`. */
  name: string;
  /** One line for the list of scenarios. */
  summary: string;
  /** The guarantee that the scenario proves, in one sentence. */
  guarantee: string;
  /** How long the embedded cloud takes to create a snapshot, in milliseconds. */
  creationMs: CloudOptions["creationMs"];
  /** Causes the fault and runs the functions. */
  run(environment: ScenarioEnvironment): Promise<Observation>;
}

/** What happened while a scenario ran. */
export interface Observation {
  /** What was done to the embedded cloud, with the number of requests that each fault really affected. */
  faults: string[];
  /** What the functions did. */
  actions: string[];
  /** The error and the advice in the result record of a failed target. */
  advice?: string;
  /** Reads the embedded cloud now, and compares its contents with the guarantee. */
  evaluate(): Verdict;
}

export interface Verdict {
  /** What the scenario proved if every check holds. At most 56 characters, so the conclusion fits into 80 columns. */
  conclusion: string;
  checks: Check[];
}

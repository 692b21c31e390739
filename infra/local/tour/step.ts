import type { LocalSite } from "../site/local-site.ts";

/** A failed check of a step: a description of the expected result and of the actual result. */
export interface Problem {
  expected: string;
  got: string;
}

/** The result of one step of the tour. */
export interface StepResult {
  /** What was tried and what the result proves, as one or two sentences with numbers that the step measured. */
  sentence: string;
  /** Further lines below the sentence, such as a timeline. The tour prints them unchanged. Default: none */
  details?: string[];
  /** The ids of the snapshots that the step created. Default: none */
  snapshotIds?: string[];
  /** The number of requests or events that the step delivered again. Default 0 */
  repeats?: number;
  /** A guarantee that the step demonstrated, for the summary at the end of the tour. Default: none */
  guarantee?: { name: string; how: string };
}

/** Thrown by a step whose check failed. */
export class StepFailed extends Error {
  readonly problem: Problem;
  /** The ids of the snapshots that the step created before it failed. */
  readonly snapshotIds: string[];

  constructor(problem: Problem, snapshotIds: string[] = []) {
    super(`expected ${problem.expected}, got ${problem.got}`);
    this.problem = problem;
    this.snapshotIds = snapshotIds;
  }
}

/** One step of the tour, such as a create request that is sent twice. */
export interface TourStep {
  /** What the step does, such as `POST /create-snapshot for web-1-data, sent twice`. */
  title: string;
  /** Whether the step waits until the creation of all snapshots of earlier steps has finished. Default false */
  waitsForSnapshots?: boolean;
  /**
   * Whether the step starts before all other steps and runs at the same time, because it takes several seconds. Its result is
   * printed at its place in the order of the steps. Default false
   */
  startsEarly?: boolean;
  /** @throws StepFailed if a check failed */
  run(localSite: LocalSite): Promise<StepResult>;
}

/** Throws StepFailed unless `condition` is true. */
export function check(
  condition: boolean,
  expected: string,
  got: string,
  snapshotIds: string[] = [],
): asserts condition {
  if (!condition) throw new StepFailed({ expected, got }, snapshotIds);
}

/** Returns a number with a noun, such as `1 snapshot` or `2 snapshots`. */
export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

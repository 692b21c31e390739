import type { LocalSite } from "../site/local-site.ts";

/** The result of one step of the tour. */
export interface StepResult {
  /** The end of the step's line: the response, the outcome, the id. */
  summary: string;
  /** The snapshots that the step created. */
  snapshotIds: string[];
  /** What went wrong. Empty if the step succeeded. */
  problems: string[];
}

/** One step of the tour. */
export interface TourStep {
  /** What the step calls, such as `POST /create-snapshot`. */
  title: string;
  /** The name of the resource or deployment that the step concerns. */
  subject: string;
  /** Whether the step starts after all earlier snapshots have ended, because a cluster allows one snapshot at a time. */
  waitsForSnapshots?: boolean;
  run(localSite: LocalSite): Promise<StepResult>;
}

import type { LocalSite } from "../site/local-site.ts";

/** The result of one step of the tour. */
export interface StepResult {
  /** The text at the end of the step's line in the terminal: the response, the outcome and the snapshot id. */
  summary: string;
  /** The ids of the snapshots that the step created. */
  snapshotIds: string[];
  /** One message for each failed check. Empty if the step succeeded. */
  problems: string[];
}

/** One step of the tour, such as a create request that is sent twice. */
export interface TourStep {
  /** What the step calls, such as `POST /create-snapshot`. */
  title: string;
  /** The name of the resource or deployment that the step concerns. */
  subject: string;
  /**
   * Whether the step waits until the snapshots of all earlier steps are finished, because a cluster allows one snapshot at a
   * time.
   */
  waitsForSnapshots?: boolean;
  run(localSite: LocalSite): Promise<StepResult>;
}

/** What is known of an invocation once it has ended, and what can be wrong with it. */
import type { EmbeddedCloud, SnapshotView } from "../../infra/local/cloud/index.ts";
import type { Invoked } from "./instance.ts";
import type { ArmedResponse } from "./responses.ts";
import type { Scenario } from "./scenarios.ts";

export interface Finding {
  guarantee: Guarantee;
  what: string;
}

export type Guarantee =
  | "ends"
  | "in time"
  | "one record each"
  | "well-formed response"
  | "short clean lines"
  | "no secret"
  | "no false success"
  | "no duplicate"
  | "topic has all"
  | "deletes as planned"
  | "memory";

/** All that is known of a case once its invocation has ended. */
export interface Evidence {
  scenario: Scenario;
  requestId: string;
  invoked: Invoked;
  cloud: EmbeddedCloud;
  responses: readonly ArmedResponse[];
  /** What there was in the cloud before. */
  before: readonly SnapshotView[];
  /** Whether the cloud's own responses to such calls were sent as they are. */
  trueCalls(name: RegExp): boolean;
  findSecrets(text: string): string[];
}

export type Complain = (guarantee: Guarantee, what: string) => void;

/** A result record whose fields are not checked yet. */
// biome-ignore lint/suspicious/noExplicitAny: records of many shapes
export type LooseRecord = any;

/** The beginning of a value, for a message. */
export const preview = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 400);

export const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

/** A target that failed fails the run. That a snapshot failed is what verify is there to find. */
export const isFailure = ({ action, outcome, error }: LooseRecord): boolean =>
  outcome === "rejected" || (outcome === "failed" && !(action === "verify" && error?.reason === "SnapshotFailed"));

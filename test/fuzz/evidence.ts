/** Defines what the checks know about an invocation, and the guarantees that it can break. */
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

/** Everything that is known about a case after its invocation. */
export interface Evidence {
  scenario: Scenario;
  requestId: string;
  invoked: Invoked;
  cloud: EmbeddedCloud;
  responses: readonly ArmedResponse[];
  /** The snapshots in the cloud before the invocation. */
  before: readonly SnapshotView[];
  /** Returns whether the calls with such names got only unchanged responses of the cloud. */
  isUnfuzzed(name: RegExp): boolean;
  findSecrets(text: string): string[];
}

export type Complain = (guarantee: Guarantee, what: string) => void;

/** A result record whose fields are unchecked. */
// biome-ignore lint/suspicious/noExplicitAny: records of many shapes
export type LooseRecord = any;

/** Returns the beginning of a value for a message. */
export const preview = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 400);

export const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

/** Returns whether a record fails the run. A failed snapshot is a regular result of verify-snapshots. */
export const isFailure = ({ action, outcome, error }: LooseRecord): boolean =>
  outcome === "rejected" || (outcome === "failed" && !(action === "verify" && error?.reason === "SnapshotFailed"));

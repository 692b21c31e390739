/** Defines the input of the checks, and the guarantees that an invocation can break. */
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

/** What the checks compare after an invocation: its result, its records, and the snapshots in the embedded cloud. */
export interface Evidence {
  scenario: Scenario;
  requestId: string;
  invoked: Invoked;
  cloud: EmbeddedCloud;
  responses: readonly ArmedResponse[];
  /** The snapshots in the embedded cloud before the invocation. */
  before: readonly SnapshotView[];
  /** Returns whether every call whose operation name matches got the embedded cloud's own response without changes. */
  isUnfuzzed(name: RegExp): boolean;
  findSecrets(text: string): string[];
}

export type ReportBroken = (guarantee: Guarantee, what: string) => void;

/** A result record that may have any fields of any type. */
// biome-ignore lint/suspicious/noExplicitAny: records of many shapes
export type LooseRecord = any;

/** Returns the first 400 characters of a value as JSON, for a message. */
export const preview = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 400);

export const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

/** Returns whether a record makes the run fail. A `SnapshotFailed` record of verify-snapshots does not make the run fail. */
export const isFailure = ({ action, outcome, error }: LooseRecord): boolean =>
  outcome === "rejected" || (outcome === "failed" && !(action === "verify" && error?.reason === "SnapshotFailed"));

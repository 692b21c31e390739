/** Constants and helpers that the tests of several functions share. */
import { expect } from "vitest";
import type { EmbeddedCloud, SnapshotView } from "../../infra/local/cloud/index.ts";
import { type Invoked, START } from "./environment.ts";
import { KINDS, type Kind } from "./kinds.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The time at which the clock of a test environment starts, in milliseconds since 1970. */
export const START_MS = Date.parse(START);

/** A valid UUID that no resource in the embedded cloud has. */
export const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";

export { KINDS, type Kind };

/** Removes the environment variables that configure the logging topic. */
export const WITHOUT_TOPIC = { LTS_ENDPOINT: undefined, LTS_LOG_GROUP_ID: undefined, LTS_LOG_STREAM_ID: undefined };

/** Options for a test environment in which a function sends one request at a time. */
export const SEQUENTIAL = { variables: { MAX_CONCURRENCY: "1" } };

/** Expects that a handler returned a value instead of throwing an error, and returns the invocation. */
export function expectSuccess<T extends Pick<Invoked, "error">>(invoked: T): T {
  expect(invoked.error).toBeUndefined();
  return invoked;
}

/** Returns whether a snapshot is complete. EVS misspells the status of snapshot groups as "avaialble". */
export const isGood = ({ status }: SnapshotView) => ["available", "avaialble", "AVAILABLE"].includes(status);

/** Returns the snapshots in the embedded cloud, of one kind or of all kinds, without the members of snapshot groups. */
export const listWithoutMembers = (cloud: EmbeddedCloud, kind?: Kind) =>
  cloud.snapshots(kind).filter(({ snapshot_group_id }) => !snapshot_group_id);

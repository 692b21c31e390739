import { REASONS, SnapshotError } from "../core/errors.ts";
import { after } from "../core/instant.ts";
import { raceDeadline } from "../core/retry.ts";
import type { Invocation } from "./invocation.ts";

/** Time after the deadline in which a call can still fail by itself, because its own error says more. */
const GRACE_MS = 100;

/**
 * Wraps a handler so that it ends at the invocation's deadline whatever it waits for: a promise of a library that never settles
 * would otherwise hang the function until the platform kills it, without any record. The rest of the
 * invocation's time is for the records.
 *
 * @throws SnapshotError DeadlineExceeded
 */
export const withDeadline =
  <Event, Result>(handler: (event: Event, invocation: Invocation) => Promise<Result>) =>
  (event: Event, invocation: Invocation): Promise<Result> => {
    const { time, deadline } = invocation.retryBudget;
    return raceDeadline(
      handler(event, invocation),
      time,
      after(deadline, GRACE_MS),
      () =>
        new SnapshotError("DeadlineExceeded", `Something did not end by itself. ${REASONS.DeadlineExceeded.advice}`),
    );
  };

import { REASONS, SnapshotError } from "../core/errors.ts";
import { after } from "../core/instant.ts";
import { raceDeadline } from "../core/retry.ts";
import type { Invocation } from "./invocation.ts";

/** Time after the deadline in which a request can still fail by itself, because its own error has more detail. */
const GRACE_MS = 100;

/**
 * Wraps a handler, so it ends at the deadline of the invocation. Without the deadline, a promise that never settles would block
 * the function until the platform stops it, and no record would be written.
 *
 * @throws SnapshotError DeadlineExceeded
 */
export const withDeadline =
  <Request, Result>(handler: (request: Request, invocation: Invocation) => Promise<Result>) =>
  (request: Request, invocation: Invocation): Promise<Result> => {
    const { time, deadline } = invocation.retryBudget;
    return raceDeadline(
      handler(request, invocation),
      time,
      after(deadline, GRACE_MS),
      () =>
        new SnapshotError("DeadlineExceeded", `Something did not end by itself. ${REASONS.DeadlineExceeded.advice}`),
    );
  };

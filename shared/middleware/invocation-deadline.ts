import { REASONS, SnapshotError } from "../core/errors.ts";
import { after } from "../core/instant.ts";
import { raceDeadline } from "../core/retry.ts";
import type { Invocation } from "./invocation.ts";

/**
 * How long a handler may continue after its deadline, in milliseconds. A request that times out at the deadline can then
 * fail with its own error, which is more detailed than DeadlineExceeded.
 */
const GRACE_MS = 100;

/**
 * Wraps a handler. The wrapped handler fails if it is not finished at the invocation's deadline. Without this deadline, a
 * promise that never settles would block the function until the platform stops it, and the function would write no records.
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
        new SnapshotError("DeadlineExceeded", `The work did not finish in time. ${REASONS.DeadlineExceeded.advice}`),
    );
  };

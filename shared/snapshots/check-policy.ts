import { SnapshotError } from "../core/errors.ts";
import { preview } from "../core/preview.ts";
import type { Policy } from "./policy.ts";
import { keepsSomething } from "./retention/plan.ts";

/**
 * Checks the rules of a policy that its JSON Schema cannot express: the time zone must exist, and `make_room` requires a
 * retention.
 *
 * @throws SnapshotError InvalidRequest if a rule is broken
 */
export function checkPolicy({ time_zone = "UTC", ...policy }: Omit<Policy, "targets">): void {
  if (!isTimeZone(time_zone)) {
    throw new SnapshotError(
      "InvalidRequest",
      `time_zone: expected an IANA name such as Europe/Berlin, got ${preview(time_zone)}.`,
    );
  }
  checkMakeRoom(policy);
}

/**
 * Checks that a policy or deployment with `make_room` also has a retention, because the retention decides which snapshots may
 * be deleted. Without this check, a missing retention would cause an error only when a disk has no room for another snapshot,
 * which can be weeks later.
 *
 * @throws SnapshotError InvalidRequest if `make_room` is set and the retention has no rule
 */
export function checkMakeRoom({ make_room, retention }: Pick<Policy, "make_room" | "retention">): void {
  if (!make_room || keepsSomething(retention ?? {})) return;
  throw new SnapshotError(
    "InvalidRequest",
    `make_room: expected a retention with at least one keep_ rule above 0, got ${JSON.stringify(retention) ?? "none"}. Add a rule, or omit make_room.`,
  );
}

function isTimeZone(name: string): boolean {
  // Stryker disable next-line ConditionalExpression,StringLiteral: this condition only saves work
  if (name === "UTC") return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

import { SnapshotError } from "../core/errors.ts";
import { preview } from "../core/preview.ts";
import type { Policy } from "./policy.ts";
import { keepsSomething } from "./retention/plan.ts";

/**
 * Checks what the schema of a policy cannot express: that the time zone exists, and that `make_room` has a retention.
 *
 * @throws SnapshotError InvalidRequest
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
 * Checks that `make_room` has a retention, which decides what may be deleted. Without this check, a missing retention would
 * fail a run only when a disk is full, which can be weeks later. A deployment has no time zone, so this check is enough for it.
 *
 * @throws SnapshotError InvalidRequest
 */
export function checkMakeRoom({ make_room, retention }: Pick<Policy, "make_room" | "retention">): void {
  if (!make_room || keepsSomething(retention ?? {})) return;
  throw new SnapshotError(
    "InvalidRequest",
    `make_room: expected a retention with at least one keep_ rule above 0, got ${JSON.stringify(retention) ?? "none"}. Add a rule, or omit make_room.`,
  );
}

function isTimeZone(name: string): boolean {
  // Stryker disable next-line ConditionalExpression,StringLiteral: only saves work
  if (name === "UTC") return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

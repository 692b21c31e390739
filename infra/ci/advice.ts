import { isObject, textAt } from "../../shared/core/json.ts";

export const CHECK_ID = "Check the id in the targets file.";
export const COMPARE_TAGS = "Compare the targets file with the tags of the resources.";
export const CALL_AGAIN = "Call again with the same --deployment-id: only what is missing is created.";

const ADVICE = new Map<unknown, string>([
  ["Conflict", "Give each deployment a --deployment-id of its own."],
  ["SnapshotFailed", "With --retry-failed the next call creates another snapshot."],
]);

/** Returns the advice that applies only to callers of this client. The messages of pre-deploy contain the general advice. */
export function adviceFor(reason: unknown, whenNotFound: string): string[] {
  const advice = reason === "NotFound" ? whenNotFound : ADVICE.get(reason);
  return advice === undefined ? [] : [`${reason}: ${advice}`];
}

/** Returns the reason and the message of an error, unchanged, or the one that exists. */
export const formatError = (error: unknown): string | undefined =>
  isObject(error) ? [textAt(error, "reason"), textAt(error, "message")].filter(Boolean).join(": ") : undefined;

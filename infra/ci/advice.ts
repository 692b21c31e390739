import { isObject, textAt } from "../../shared/core/json.ts";

export const CHECK_ID = "Check the id in the targets file.";
export const COMPARE_TAGS = "Compare the targets file with the tags of the resources.";
export const CALL_AGAIN = "Call again with the same --deployment-id: only what is missing is created.";

const ADVICE = new Map<unknown, string>([
  ["Conflict", "Give each deployment a --deployment-id of its own."],
  ["SnapshotFailed", "With --retry-failed the next call creates another snapshot."],
]);

/** Returns what only a caller of this client can do about a reason: the message of pre-deploy says the rest. */
export function adviceFor(reason: unknown, whenNotFound: string): string[] {
  const advice = reason === "NotFound" ? whenNotFound : ADVICE.get(reason);
  return advice === undefined ? [] : [`${reason}: ${advice}`];
}

/** Returns the reason of an error and its message, word for word; either alone if the other is missing. */
export const textOf = (error: unknown): string | undefined =>
  isObject(error) ? [textAt(error, "reason"), textAt(error, "message")].filter(Boolean).join(": ") : undefined;

import { isObject, readStringField } from "../../shared/core/json.ts";

export const CHECK_ID = "Check the id in the targets file.";
export const COMPARE_TAGS = "Compare the tags in the targets file with the tags of the resources.";
export const CALL_AGAIN = "Call again with the same --deployment-id: pre-deploy creates only the missing snapshots.";

const ADVICE = new Map<unknown, string>([
  ["Conflict", "Use a different --deployment-id for each deployment."],
  ["SnapshotFailed", "Call again with --retry-failed to create another snapshot."],
]);

/**
 * Returns the advice that this client adds for an error reason such as `NotFound`, or an empty array. The error messages of
 * pre-deploy cannot contain this advice, because it names options of this client.
 */
export function adviceFor(reason: unknown, whenNotFound: string): string[] {
  const advice = reason === "NotFound" ? whenNotFound : ADVICE.get(reason);
  return advice === undefined ? [] : [`${reason}: ${advice}`];
}

/** Formats an error of pre-deploy as `<reason>: <message>`, and omits a missing part. Returns undefined for a non-object. */
export const formatError = (error: unknown): string | undefined =>
  isObject(error)
    ? [readStringField(error, "reason"), readStringField(error, "message")].filter(Boolean).join(": ")
    : undefined;

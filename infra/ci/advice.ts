import { isObject, readStringField } from "../../shared/core/json.ts";

export const CHECK_ID_ADVICE = "Check the id in the targets file.";
export const COMPARE_TAGS_ADVICE = "Compare the tags in the targets file with the tags of the resources.";
export const CALL_AGAIN_ADVICE =
  "Call again with the same --deployment-id: pre-deploy creates only the missing snapshots.";

const ADVICE_BY_REASON = new Map<unknown, string>([
  ["Conflict", "Use a different --deployment-id for each deployment."],
  ["SnapshotFailed", "Call again with --retry-failed to create another snapshot."],
]);

/**
 * Returns the advice that the gate client prints for an error reason such as `NotFound`. Returns an empty array if there is no
 * advice for the reason. pre-deploy does not send this advice in its error messages, because the advice names command-line
 * options of the client.
 */
export function adviceFor(reason: unknown, whenNotFound: string): string[] {
  const advice = reason === "NotFound" ? whenNotFound : ADVICE_BY_REASON.get(reason);
  return advice === undefined ? [] : [`${reason}: ${advice}`];
}

/**
 * Formats an error of pre-deploy as `<reason>: <message>`, and omits a missing part. Returns undefined if `error` is not an
 * object.
 */
export const formatError = (error: unknown): string | undefined =>
  isObject(error)
    ? [readStringField(error, "reason"), readStringField(error, "message")].filter(Boolean).join(": ")
    : undefined;

import { isObject, textAt } from "../../shared/snapshots/json.ts";
import { REASONS, type Reason } from "../../shared/snapshots/reasons.ts";

/** What a caller of the gate client can do, where the catalogue's advice is for those who write policies or run the functions. */
const FOR_CALLERS = new Map<unknown, string>([
  [
    "Conflict",
    "This --deployment-id was used before, for other targets or too long ago: use a new one, or call again as the first time.",
  ],
  [
    "QuotaExceeded",
    "Delete snapshots that are no longer needed, or have the quota raised. A retention for the policy of these snapshots (--policy, by default pre-deploy) keeps room for the next deployment.",
  ],
  ["Throttled", "Too many calls for the account: call again later, with the same --deployment-id."],
  ["DeadlineExceeded", "The function's time ran out first: call again with the same --deployment-id, which continues."],
  [
    "OutcomeUnknown",
    "A snapshot may or may not have been created: call again with the same --deployment-id, which finds it if it was created.",
  ],
]);

const NO_SUCH_ID =
  "The disk, server or cluster does not exist in the project of the functions: check its id in the targets file.";
const NO_SUCH_TAGS =
  "No resource has the tags of that selection, or exclude_tags leaves out all that have them: compare the targets file with the tags of the resources.";
const GONE = "A resource with these tags was listed but does not exist any more: call again.";
const REFUSED =
  "The cloud refused this snapshot; its message says what is wrong with the resource or with the options in the targets file.";

/** Reasons that only those who run the functions can remove. */
const FOR_OPERATORS: unknown[] = ["AccessDenied", "AccountSuspended", "Misconfigured", "Unreachable", "BadResponse"];

/**
 * Returns what to do about a reason, or nothing about one that this client does not know.
 *
 * @param isCall whether the call as a whole was refused, not a single snapshot
 * @param isNamed whether the targets file names what it is about by an id
 */
export function adviceFor(reason: unknown, { isCall, isNamed }: { isCall: boolean; isNamed: boolean }): string[] {
  return isKnown(reason) ? [`${reason}: ${textFor(reason, isCall, isNamed)}`] : [];
}

/** Returns the message of an error, without the catalogue's advice at its end: `adviceFor` has the one for callers. */
export function messageOf(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  const message = textAt(error, "message");
  return isKnown(error.reason) ? message?.replace(REASONS[error.reason].advice, "").trim() : message;
}

const isKnown = (reason: unknown): reason is Reason => typeof reason === "string" && Object.hasOwn(REASONS, reason);

function textFor(reason: Reason, isCall: boolean, isNamed: boolean): string {
  const { advice } = REASONS[reason];
  if (reason === "NotFound") return isNamed ? NO_SUCH_ID : isCall ? NO_SUCH_TAGS : GONE;
  if (reason === "InvalidRequest" && !isCall) return REFUSED;
  if (FOR_OPERATORS.includes(reason)) return `For those who run the functions: ${advice}`;
  // A failed snapshot stands for this deployment until the gate is told otherwise.
  if (reason === "SnapshotFailed") return `${advice} With --retry-failed the next call does that.`;
  return FOR_CALLERS.get(reason) ?? advice;
}

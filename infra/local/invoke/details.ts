/** Returns the complete texts that do not fit into the table of records: errors with their advice, warnings and long details. */

import type { Invocation } from "../host/index.ts";
import { addNames, type ResultRecord } from "../site/records.ts";
import { describeFate } from "./conclusion.ts";
import type { WaitResult } from "./wait.ts";

/** The maximum length of a detail in the table. A longer detail is printed below the table. */
const MAX_CELL_DETAIL = 32;
/** The maximum number of resource names at the start of a line, such as `disk-1, disk-2, disk-3 and 5 more: <detail>`. */
const MAX_NAMED = 3;

/** Returns whether the detail of a record belongs below the table. */
export const isLongDetail = ({ rule, detail = "" }: ResultRecord): boolean =>
  detail.length > MAX_CELL_DETAIL && rule === undefined;

/** The data that the texts are created from. */
interface DetailSource {
  invocation: Invocation;
  records: readonly ResultRecord[];
  wait?: WaitResult;
  /** Returns the names of the resources with these ids, which are separated by commas. */
  namesOf(ids: string): string;
}

/** Returns each text once, after the names of the resources that it is about. Errors come first. */
export function describeDetails({ invocation, records, wait, namesOf }: DetailSource): string[] {
  const subjectsByText = new Map<string, Set<string>>();
  const add = (subject: string, text: string) => {
    subjectsByText.set(text, (subjectsByText.get(text) ?? new Set()).add(subject));
  };
  const errorsFirst = [...records].sort((a, b) => Number(b.level === "error") - Number(a.level === "error"));
  for (const record of errorsFirst.filter(isDescribed)) {
    const { resource_id, name = "" } = record;
    const text = targetText(record);
    if (text !== "") add(resource_id ? namesOf(resource_id) : name, text);
  }
  for (const { error, detail } of records.filter(({ action }) => action === "run")) {
    const text = error && errorText(error);
    // The error of the run can be the error of its only target.
    if (text && ![...subjectsByText.keys()].some((known) => known.startsWith(text))) add("The run", text);
    if (detail) add("Note", detail);
  }
  if (invocation.error !== undefined && subjectsByText.size === 0) {
    add(invocation.error.errorType, invocation.error.errorMessage);
  }
  const { topic } = Object(invocation.result) as { topic?: unknown };
  if (topic === "failed") add("Note", "The logging topic did not receive the records.");
  for (const { state, id, resourceId } of wait?.snapshots ?? []) {
    if (state === "available" || state === "creating") continue;
    add(namesOf(resourceId), `${describeFate({ id, state })} ${ADVICE[state] ?? "Check it on the console."}`);
  }
  if (wait?.problem !== undefined) add("Note", wait.problem);
  const snapshotNames = new Map(records.map(({ snapshot_id = "", name }) => [snapshot_id, name]));
  const nameOf = (id: string) => snapshotNames.get(id) || namesOf(id);
  return [...subjectsByText].map(([text, subjects]) => `${joinSubjects([...subjects])}${addNames(text, nameOf)}`);
}

/** The detail of an available snapshot contains only its creation time and its members. */
const isDescribed = ({ action, level, outcome }: ResultRecord): boolean =>
  action !== "run" && !(outcome === "available" && level === "info");

type RecordError = NonNullable<ResultRecord["error"]>;

const errorText = ({ reason, code, message }: RecordError): string =>
  [[reason, code && `(${code})`].filter(Boolean).join(" "), message].filter(Boolean).join(": ");

/** Returns the complete error and detail of a target, or an empty string if the table contains everything. */
function targetText(record: ResultRecord): string {
  const { error, detail = "", level, rule } = record;
  if (error !== undefined) {
    const text = errorText(error);
    return detail === "" || text.includes(detail) ? text : `${text} ${detail}`;
  }
  if (level === "warn") return [rule, detail].filter(Boolean).join(": ");
  return isLongDetail(record) ? detail : "";
}

function joinSubjects(subjects: readonly string[]): string {
  const named = subjects.filter(Boolean).slice(0, MAX_NAMED).join(", ");
  if (named === "") return "";
  return subjects.length > MAX_NAMED ? `${named} and ${subjects.length - MAX_NAMED} more: ` : `${named}: `;
}

const ADVICE: Record<string, string> = {
  failed: "Check the disk or cluster, then create another snapshot.",
  missing: "No list contains this snapshot. Look for it on the console.",
};

import type { EmbeddedCloud } from "../cloud/index.ts";

/** The fields of a result record (DESIGN 4.6) that are shown or counted here. */
export interface ResultRecord {
  version: 1;
  time: string;
  function: string;
  request_id: string;
  trigger?: string;
  action: string;
  kind?: string;
  outcome: string;
  resource_id?: string;
  name?: string;
  snapshot_id?: string;
  detail?: string;
  error?: { reason?: string; code?: string; message?: string };
}

/** The record in a line that a function printed; undefined: the line is something else. */
export function parseRecord(text: string): ResultRecord | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is ResultRecord {
  if (typeof value !== "object" || value === null) return false;
  const { version, action, outcome } = value as Partial<ResultRecord>;
  return version === 1 && typeof action === "string" && typeof outcome === "string";
}

/** `create-snapshot  accepted  web-1-data`, and what went wrong. */
export function summarise(record: ResultRecord, nameOf: (id: string) => string): string {
  const what = record.action === "run" ? "the run" : nameOf(record.resource_id ?? record.name ?? "-");
  const reason = record.error?.reason ? `  ${record.error.reason}: ${record.error.message ?? ""}` : "";
  return `${record.function}  ${record.outcome}  ${what}${reason}`;
}

/** What makes a record one, as each reached stdout and is to have reached the topic too. */
function identity(record: ResultRecord): string {
  const { function: name, request_id, action, kind, resource_id, snapshot_id, outcome, time } = record;
  return JSON.stringify([name, request_id, action, kind, resource_id, snapshot_id, outcome, time]);
}

/** The records that the functions printed and the logging topic did not get. */
export function missingFromTopic(printed: readonly ResultRecord[], cloud: EmbeddedCloud): ResultRecord[] {
  const arrived = cloud.logs.map(({ line }) => line).filter(isRecord);
  const left = new Map<string, number>();
  for (const record of arrived) left.set(identity(record), (left.get(identity(record)) ?? 0) + 1);
  return printed.filter((record) => {
    const count = left.get(identity(record)) ?? 0;
    left.set(identity(record), count - 1);
    return count <= 0;
  });
}

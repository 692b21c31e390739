import type { EmbeddedCloud } from "../cloud/index.ts";

/** The fields of a result record that the commands in infra/local read. */
export interface ResultRecord {
  version: 1;
  time: string;
  level?: "info" | "warn" | "error";
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
  /** In a record of prune-snapshots: the rule that decided to keep or delete the snapshot. */
  rule?: string;
  error?: { reason?: string; code?: string; message?: string };
}

/** Parses a line that a function printed. Returns the result record, or undefined if the line is not a result record. */
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

/**
 * Returns a text in which the name of each id is added, if the name is known.
 *
 * @param format returns the text for an id. Default: the name and then the id, such as `archive (ac30dbcf-…)`
 */
export const addNames = (
  text: string,
  nameOf: (id: string) => string,
  format = (name: string, id: string) => `${name} (${id})`,
): string =>
  text.replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, (id) =>
    nameOf(id) === id ? id : format(nameOf(id), id),
  );

/** Formats a result record as a line, such as `create-snapshot  accepted  web-1-data`. Appends the error if there is one. */
export function summarizeRecord(record: ResultRecord, nameOf: (id: string) => string): string {
  const subject = record.action === "run" ? "the run" : nameOf(record.resource_id ?? record.name ?? "-");
  const reason = record.error?.reason ? `  ${record.error.reason}: ${record.error.message ?? ""}` : "";
  return `${record.function}  ${record.outcome}  ${subject}${reason}`;
}

/**
 * Returns a string that identifies a result record. The string is the same for the record on stdout and the record in the LTS
 * log stream.
 */
function identifyRecord(record: ResultRecord): string {
  const { function: name, request_id, action, kind, resource_id, snapshot_id, outcome, time } = record;
  return JSON.stringify([name, request_id, action, kind, resource_id, snapshot_id, outcome, time]);
}

/** Returns the result records that the LTS log stream received. */
export const recordsInTopic = (cloud: EmbeddedCloud): ResultRecord[] =>
  cloud.logs.map(({ line }) => line).filter(isRecord);

/** Returns the result records that the functions printed to stdout, but that the LTS log stream did not receive. */
export function missingFromTopic(printed: readonly ResultRecord[], cloud: EmbeddedCloud): ResultRecord[] {
  const unmatched = new Map<string, number>();
  for (const record of recordsInTopic(cloud))
    unmatched.set(identifyRecord(record), (unmatched.get(identifyRecord(record)) ?? 0) + 1);
  return printed.filter((record) => {
    const count = unmatched.get(identifyRecord(record)) ?? 0;
    unmatched.set(identifyRecord(record), count - 1);
    return count <= 0;
  });
}

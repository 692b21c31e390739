import { boundText } from "../core/untrusted.ts";

/** Long enough for a message with 100 faults of a request, and for the ids of all disks of a group. */
const MAX_TEXT = 12_000;
/** EVS allows names of 255 characters. */
const MAX_NAME = 255;
/** Ids of the cloud have 32 or 36 characters, and its codes about 10. */
const MAX_ID = 128;

const TEXTS = ["message", "detail", "rule", "resource_id"];
const NAMES = ["name", "policy", "deployment_id"];

/**
 * Serializes a record, a line on stderr or a summary. Its strings can come from outside, so each string is cut to a length that
 * depends on its field.
 *
 * @param maxText the longest message, detail, rule or list of ids, in characters
 */
export const toLine = (value: object, maxText = MAX_TEXT): string =>
  JSON.stringify(value, (field, inner) => {
    if (typeof inner !== "string") return inner;
    return boundText(inner, TEXTS.includes(field) ? maxText : NAMES.includes(field) ? MAX_NAME : MAX_ID);
  });

/** LTS accepts lines of up to 1 MB (SOURCES.md#lts-line-limit), but people and alarms read records. */
const MAX_RECORD_BYTES = 16 * 1024;

/**
 * Serializes a record to a line of at most 16 KB. Halves the longest message until the line fits, because JSON's escapes can make
 * a string six times as long.
 */
export function toRecordLine(record: object, redact: (line: string) => string): string {
  for (let maxText = MAX_TEXT; ; maxText /= 2) {
    const line = redact(toLine(record, maxText));
    if (Buffer.byteLength(line) <= MAX_RECORD_BYTES || maxText < MAX_ID) return line;
  }
}

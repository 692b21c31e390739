import { boundText } from "../core/untrusted.ts";

/** Room for a message that names 100 faults of a request, and for the ids of all disks of a group. */
const LONGEST_TEXT = 12_000;
/** EVS allows names of 255 characters. */
const LONGEST_NAME = 255;
/** Ids of the cloud have 32 or 36 characters, its codes about 10. */
const LONGEST_ID = 128;

const TEXTS = ["message", "detail", "rule", "resource_id"];
const NAMES = ["name", "policy", "deployment_id"];

/**
 * Serializes a record, a line on stderr or a summary. Any of its strings can come from outside, so each one is cut to a
 * length that depends on its field.
 *
 * @param longestText the length of messages, details, rules and lists of ids
 */
export const toLine = (value: object, longestText = LONGEST_TEXT): string =>
  JSON.stringify(value, (field, inner) => {
    if (typeof inner !== "string") return inner;
    return boundText(inner, TEXTS.includes(field) ? longestText : NAMES.includes(field) ? LONGEST_NAME : LONGEST_ID);
  });

/** LTS takes lines of up to 1 MB, but a record is for people and alarms. */
const LONGEST_RECORD_BYTES = 16 * 1024;

/** Serializes a record to a line of at most 16 KB. Characters that JSON escapes can make a string six times as long. */
export function toRecordLine(record: object, redact: (line: string) => string): string {
  for (let longestText = LONGEST_TEXT; ; longestText /= 2) {
    const line = redact(toLine(record, longestText));
    if (Buffer.byteLength(line) <= LONGEST_RECORD_BYTES || longestText < LONGEST_ID) return line;
  }
}

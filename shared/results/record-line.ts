/** Serializes result records and other log lines as JSON, and limits the length of each line. */

import { boundText } from "../core/untrusted.ts";

/**
 * The maximum length of a long string, such as a message, in characters. This is enough for a message about 100 faults in a
 * request, and for the ids of all disks in a group.
 */
const MAX_LONG_CHARACTERS = 12_000;
/** The maximum length of a name in characters. EVS allows names of 255 characters. */
const MAX_NAME_CHARACTERS = 255;
/** The maximum length of an id or code in characters. Ids of the cloud have 32 or 36 characters, and codes about 10. */
const MAX_ID_CHARACTERS = 128;

/** The fields that can contain a long string. */
const LONG_FIELDS = ["message", "detail", "rule", "resource_id"];
/** The fields that contain a name. */
const NAME_FIELDS = ["name", "policy", "deployment_id"];

/**
 * Serializes a record, another log line or a summary to JSON. Cuts each string to the maximum length of its field, because
 * strings can come from a caller or the cloud.
 *
 * @param maxText the maximum length of a message, detail, rule or list of resource ids, in characters
 */
export const toLine = (value: object, maxText = MAX_LONG_CHARACTERS): string =>
  JSON.stringify(value, (field, inner) => {
    if (typeof inner !== "string") return inner;
    return boundText(
      inner,
      LONG_FIELDS.includes(field) ? maxText : NAME_FIELDS.includes(field) ? MAX_NAME_CHARACTERS : MAX_ID_CHARACTERS,
    );
  });

/**
 * The maximum size of a record's line in bytes. This is less than the 1 MB that LTS accepts (SOURCES.md#lts-line-limit),
 * because people read the records.
 */
const MAX_RECORD_BYTES = 16 * 1024;

/**
 * Serializes a record to a line of at most 16 KiB. JSON escapes can make a string six times as long, so the line can be too
 * long although each string is short enough. The function then halves the maximum length of long strings until the line
 * fits.
 */
export function toRecordLine(record: object, redact: (line: string) => string): string {
  for (let maxText = MAX_LONG_CHARACTERS; ; maxText /= 2) {
    const line = redact(toLine(record, maxText));
    if (Buffer.byteLength(line) <= MAX_RECORD_BYTES || maxText < MAX_ID_CHARACTERS) return line;
  }
}

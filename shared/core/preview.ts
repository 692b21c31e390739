/** The maximum number of characters of a string that an error message quotes. */
const MAX_QUOTED_CHARACTERS = 80;

/** The maximum number of entries that a message names. */
const MAX_NAMED = 20;

/** Joins the first 20 entries for a message, and says how many more there are: `a, b and 3 more`. */
export function joinFirst(entries: readonly string[], separator = ", "): string {
  const named = entries.slice(0, MAX_NAMED).join(separator);
  return entries.length > MAX_NAMED ? `${named} and ${entries.length - MAX_NAMED} more` : named;
}

/**
 * Describes an invalid value in a few words for an error message, such as `"abc"`, `the number 7` or `an array of 3 items`.
 * Never reads the content of arrays and objects, because deeply nested content would overflow the call stack of
 * `JSON.stringify` and `String`.
 */
export function preview(value: unknown): string {
  switch (typeof value) {
    case "string":
      // Cut the string before quoting it, so the closing quote is never missing.
      return JSON.stringify(value.length > MAX_QUOTED_CHARACTERS ? `${value.slice(0, MAX_QUOTED_CHARACTERS)}…` : value);
    case "undefined":
      return "nothing";
    case "boolean":
      return String(value);
    case "object":
      if (value === null) return "null";
      if (!Array.isArray(value)) return "an object";
      return value.length === 0 ? "an empty array" : `an array of ${value.length} item${value.length === 1 ? "" : "s"}`;
    case "number":
      return `the number ${value}`;
    default:
      return `a ${typeof value}`;
  }
}

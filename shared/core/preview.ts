/** So many characters are enough to recognize a value. */
const MAX_CHARACTERS = 80;

/**
 * Describes a value from outside in a few words for an error message: `"abc"`, `the number 7`, `an array of 3 items`.
 * The length is bounded. The content of arrays and objects is never read, because they can be nested so deeply that
 * `JSON.stringify` and `String` exceed the call stack.
 */
export function preview(value: unknown): string {
  switch (typeof value) {
    case "string":
      // Cut the string before it is quoted, so the closing quote is never missing.
      return JSON.stringify(value.length > MAX_CHARACTERS ? `${value.slice(0, MAX_CHARACTERS)}…` : value);
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

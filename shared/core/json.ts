/** A JSON object from an event or a response. Its fields have unknown types until the code checks them. */
export type JsonObject = Record<string, unknown>;

/** Returns whether a value is an object, but not an array or null. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the field `name` of an object if the field contains a string, or else undefined. */
export const readStringField = (from: JsonObject, name: string): string | undefined => {
  const value = from[name];
  return typeof value === "string" ? value : undefined;
};

/**
 * Converts tags or metadata in a cloud response into an object. Accepts all three formats: EVS returns an object, ECS and
 * DWS return `[{key, value}]`, and the ECS list of servers returns `["key=value"]` (SOURCES.md#tag-shapes). Skips array
 * entries in any other format.
 *
 * @returns the value of each key. A value that is an object or null becomes an empty string.
 */
export function toStringMap(value: unknown): Record<string, string> {
  const entries: [string, string][] = [];
  if (Array.isArray(value)) {
    for (const entry of value) {
      if (typeof entry === "string") {
        const separator = entry.indexOf("=");
        entries.push(separator < 0 ? [entry, ""] : [entry.slice(0, separator), entry.slice(separator + 1)]);
      } else if (isObject(entry) && typeof entry.key === "string") {
        entries.push([entry.key, typeof entry.value === "string" ? entry.value : ""]);
      }
    }
  } else if (isObject(value)) {
    // Convert numbers and booleans to strings instead of dropping them. For example, the label `hold: true` must protect a
    // snapshot in the same way as `hold: "true"`.
    for (const [key, label] of Object.entries(value))
      entries.push([key, typeof label === "object" ? "" : String(label ?? "")]);
  }
  return Object.fromEntries(entries);
}

/**
 * Serializes a value as JSON with sorted object keys. Also sorts arrays of strings, because an array of strings in a request
 * is a set of ids. Two requests that differ only in the order of keys or ids therefore result in the same string.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => {
    if (Array.isArray(inner)) return inner.every((item) => typeof item === "string") ? [...inner].sort() : inner;
    if (!isObject(inner)) return inner;
    const keys = Object.keys(inner).sort();
    return Object.fromEntries(keys.map((key) => [key, inner[key]]));
  });
}

/** A JSON object from outside. The types of its fields are unknown until they are checked. */
export type JsonObject = Record<string, unknown>;

/** Returns whether a value is an object. Arrays and null are not. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the string in the field `name`, or undefined if the field is absent or has another type. */
export const textAt = (from: JsonObject, name: string): string | undefined => {
  const value = from[name];
  return typeof value === "string" ? value : undefined;
};

/**
 * Reads tags or metadata in any of the three formats of the cloud: EVS returns an object, ECS and DWS return
 * `[{key, value}]`, and the server list of ECS returns `["key=value"]` (SOURCES.md#tag-shapes). Skips array entries of any
 * other format.
 *
 * @returns the labels by key; a value that is an object or null becomes an empty string
 */
export function textMap(value: unknown): Record<string, string> {
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
    // Labels of other types are kept, because `hold` may be one of them.
    for (const [key, label] of Object.entries(value))
      entries.push([key, typeof label === "object" ? "" : String(label ?? "")]);
  }
  return Object.fromEntries(entries);
}

/**
 * Serializes a value. Equal requests result in equal strings. Sorts the keys of objects, and the
 * entries of arrays of strings, because such an array in a request is a set of ids.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => {
    if (Array.isArray(inner)) return inner.every((item) => typeof item === "string") ? [...inner].sort() : inner;
    if (!isObject(inner)) return inner;
    const keys = Object.keys(inner).sort();
    return Object.fromEntries(keys.map((key) => [key, inner[key]]));
  });
}

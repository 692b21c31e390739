/** JSON as it comes from outside: nothing is known of it until it was looked at. */
export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The text at `name`, or undefined where there is none (absent, null, another type). */
export const textAt = (from: JsonObject, name: string): string | undefined => {
  const value = from[name];
  return typeof value === "string" ? value : undefined;
};

/**
 * A map of texts as EVS gives tags and metadata. EVS gives an object; ECS and DWS give `[{key, value}]`, the ECS list
 * `["key=value"]` (cloud-apis.md 1.5, 3, 7). All three are read; anything else in it is left out.
 */
export function textMap(value: unknown): Record<string, string> {
  const entries: [string, string][] = [];
  if (Array.isArray(value)) {
    for (const entry of value) {
      if (typeof entry === "string") {
        const at = entry.indexOf("=");
        entries.push(at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)]);
      } else if (isObject(entry) && typeof entry.key === "string") {
        entries.push([entry.key, typeof entry.value === "string" ? entry.value : ""]);
      }
    }
  } else if (isObject(value)) {
    // EVS gives texts; a label of another type counts all the same, as `hold` may be one.
    for (const [key, text] of Object.entries(value))
      entries.push([key, typeof text === "object" ? "" : String(text ?? "")]);
  }
  return Object.fromEntries(entries);
}

/**
 * JSON with the keys of every object and the entries of every list of texts in order, so that equal content is equal text:
 * a list in these requests is a set of ids.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => {
    if (Array.isArray(inner)) return inner.every((one) => typeof one === "string") ? [...inner].sort() : inner;
    if (!isObject(inner)) return inner;
    const keys = Object.keys(inner).sort();
    return Object.fromEntries(keys.map((key) => [key, inner[key]]));
  });
}

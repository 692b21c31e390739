/** Fills placeholders such as `{{volume_id}}` in a stored event, because the embedded cloud creates new ids at every start. */

export type PlaceholderValues = Record<string, string | number>;

/** Returns the names of all placeholders in an event, such as `volume_id` for `{{volume_id}}`. */
export function placeholdersIn(event: unknown): string[] {
  const names = new Set<string>();
  fillValue(event, (name) => {
    names.add(name);
    return "";
  });
  return [...names];
}

/**
 * Returns a copy of the event in which values replace the placeholders. If a string consists only of one placeholder whose value
 * is a number, the number replaces the string.
 */
export function fillPlaceholders(event: unknown, values: PlaceholderValues): unknown {
  return fillValue(event, (name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`There is no value for the placeholder {{${name}}}.`);
    return value;
  });
}

type GetValue = (name: string) => string | number;

function fillValue(value: unknown, getValue: GetValue): unknown {
  if (typeof value === "string") return fillText(value, getValue);
  if (Array.isArray(value)) return value.map((item) => fillValue(item, getValue));
  if (typeof value !== "object" || value === null) return value;
  const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillValue(item, getValue)]));
  // The body of an APIG event is base64-encoded. The decoded body can contain placeholders (SOURCES.md#functiongraph-apig-event).
  if (filled.isBase64Encoded === true && typeof filled.body === "string") {
    const body = String(fillText(Buffer.from(filled.body, "base64").toString(), getValue));
    filled.body = Buffer.from(body).toString("base64");
  }
  return filled;
}

function fillText(text: string, getValue: GetValue): string | number {
  const whole = /^\{\{(\w+)\}\}$/.exec(text)?.[1];
  if (whole) return getValue(whole);
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(getValue(name)));
}

/** Fills placeholders such as `{{volume_id}}` in a stored event, because the embedded cloud creates new ids at every start. */

export type Values = Record<string, string | number>;

/** Returns the names of all placeholders in an event, such as `volume_id` for `{{volume_id}}`. */
export function placeholdersIn(event: unknown): string[] {
  const names = new Set<string>();
  fill(event, (name) => {
    names.add(name);
    return "";
  });
  return [...names];
}

/** Returns a copy of the event with values for the placeholders. A string that is only one placeholder can become a number. */
export function fillPlaceholders(event: unknown, values: Values): unknown {
  return fill(event, (name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`There is no value for the placeholder {{${name}}}.`);
    return value;
  });
}

type Lookup = (name: string) => string | number;

function fill(value: unknown, lookup: Lookup): unknown {
  if (typeof value === "string") return fillText(value, lookup);
  if (Array.isArray(value)) return value.map((item) => fill(item, lookup));
  if (typeof value !== "object" || value === null) return value;
  const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, lookup)]));
  // The body of an APIG event is base64 and can contain placeholders (SOURCES.md#functiongraph-apig-event).
  if (filled.isBase64Encoded === true && typeof filled.body === "string") {
    const body = String(fillText(Buffer.from(filled.body, "base64").toString(), lookup));
    filled.body = Buffer.from(body).toString("base64");
  }
  return filled;
}

function fillText(text: string, lookup: Lookup): string | number {
  const whole = /^\{\{(\w+)\}\}$/.exec(text)?.[1];
  if (whole) return lookup(whole);
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(lookup(name)));
}

/** Fills `{{name}}` in a stored event, so that it can name what only exists once the embedded cloud is up. */

export type Values = Record<string, string | number>;

/** The names of the placeholders in an event, whether or not they can be filled. */
export function placeholdersIn(event: unknown): string[] {
  const names = new Set<string>();
  fill(event, (name) => {
    names.add(name);
    return "";
  });
  return [...names];
}

/** A copy with every placeholder filled. A text that is nothing but one placeholder becomes its value, a number too. */
export function fillPlaceholders(event: unknown, values: Values): unknown {
  return fill(event, (name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for {{${name}}}`);
    return value;
  });
}

type Lookup = (name: string) => string | number;

function fill(value: unknown, lookup: Lookup): unknown {
  if (typeof value === "string") return fillText(value, lookup);
  if (Array.isArray(value)) return value.map((item) => fill(item, lookup));
  if (typeof value !== "object" || value === null) return value;
  const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, lookup)]));
  // The body of an APIG event is base64 (functiongraph.md 2.3): what is to be filled is inside.
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

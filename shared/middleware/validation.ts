import { isObject } from "../snapshots/json.ts";
import { SnapshotError } from "../snapshots/reasons.ts";
import type { CreateCall } from "./create-call.ts";
import type { Invocation, Middleware } from "./invocation.ts";

/** A validator as `validators.ts` makes it. */
export interface Validator<Body> {
  (data: unknown): data is Body;
  errors?: Fault[] | null;
}

/** What a validator found. */
interface Fault {
  /** JSON pointer (RFC 6901). */
  path: string;
  keyword: string;
  params: Record<string, unknown>;
  /** Where it is a key's name that is at fault. */
  name?: string;
}

/** Room for a few hundred faults: each is in the answer and twice in the records. */
const MOST_CHARACTERS = 32 * 1024;

/** Holds the body of a call against a schema. Throws InvalidRequest, which names every fault with its path. */
export function validation<Body>(validatorFor: (invocation: Invocation) => Validator<Body>): Middleware {
  return {
    before(request) {
      const { body } = request.event as CreateCall;
      check(body, validatorFor(request.context as Invocation));
    },
  };
}

export function check<Body>(body: unknown, validate: Validator<Body>): asserts body is Body {
  if (validate(body)) return;
  const faults = describeFaults(body, validate.errors ?? []);
  let room = MOST_CHARACTERS;
  const named = faults.filter((fault) => {
    room -= fault.length;
    return room >= 0;
  });
  if (faults.length > named.length) named.push(`and ${faults.length - named.length} faults more.`);
  throw new SnapshotError("InvalidRequest", named.join(" "));
}

/** Each fault as `path: expected ..., got ...`, in the order of the schema. */
function describeFaults(body: unknown, faults: Fault[]): string[] {
  const said = faults.flatMap(({ path, keyword, params, name }) => {
    // What a key's name lacks is said by the fault of that name; what is no kind, by the list of the kinds.
    if (keyword === "propertyNames" || keyword === "discriminator") return [];
    const [at, expected, got] = describeFault(keyword, params, path, valueAt(body, path), name);
    return [`${readablePath(at)}: expected ${expected}, got ${got}.`];
  });
  return [...new Set(said)];
}

function describeFault(
  keyword: string,
  params: Record<string, unknown>,
  path: string,
  value: unknown,
  name?: string,
): [at: string, expected: string, got: string | number] {
  const expected = EXPECTED[keyword]?.(params) ?? String(params.expected);
  if (name !== undefined) return [within(path, name), `${expected} as its name`, shown(name)];
  if (keyword === "required") return [within(path, params.missingProperty), "a value", "nothing"];
  if (keyword === "additionalProperties") return [within(path, params.additionalProperty), "no such field", "one"];
  if (keyword === "maxLength") return [path, expected, [...String(value)].length];
  if (keyword === "x-max-bytes") return [path, expected, Buffer.byteLength(String(value))];
  if (/unique/.test(keyword)) return [path, "each entry once", alike(value as unknown[])];
  return [path, expected, shown(value)];
}

/** Keyword -> what it expects. */
const EXPECTED: Record<string, (params: Record<string, unknown>) => string> = {
  type: ({ type }) =>
    [type]
      .flat()
      .map((one) => TYPES[String(one)] ?? one)
      .join(" or "),
  maxLength: ({ limit }) => `at most ${limit} characters`,
  minLength: ({ limit }) => `at least ${limit} ${limit === 1 ? "character" : "characters"}`,
  "x-max-bytes": ({ limit }) => `at most ${limit} bytes of UTF-8`,
  minItems: ({ limit }) => `at least ${limit} ${limit === 1 ? "entry" : "entries"}`,
  minProperties: ({ limit }) => `at least ${limit} ${limit === 1 ? "entry" : "entries"}`,
  maxItems: ({ limit }) => `at most ${limit} entries`,
  minimum: ({ limit }) => `a number from ${limit}`,
  maximum: ({ limit }) => `a number up to ${limit}`,
  const: ({ allowedValue }) => JSON.stringify(allowedValue),
};

const TYPES: Record<string, string> = {
  object: "an object",
  array: "a list",
  string: "a text",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
};

/** `/snapshot/name` -> `snapshot.name`; `/volume_ids/0` -> `volume_ids[0]`. */
const readablePath = (pointer: string): string =>
  segments(pointer)
    .map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${segment.slice(0, 64)}`))
    .join("")
    .replace(/^\./, "") || "body";

/** The pointer of a member; its name may hold what a pointer has a meaning for. */
const within = (pointer: string, name: unknown): string =>
  `${pointer}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;

const segments = (pointer: string): string[] =>
  pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));

const valueAt = (body: unknown, pointer: string): unknown =>
  segments(pointer).reduce<unknown>(
    (value, segment) =>
      isObject(value) || Array.isArray(value) ? (value as Record<string, unknown>)[segment] : undefined,
    body,
  );

/** The first two entries that are the same, in whichever case. */
function alike(list: unknown[]): string {
  const places = new Map<string, number>();
  for (const [place, id] of list.entries()) {
    const earlier = places.get(String(id).toLowerCase());
    if (earlier !== undefined) return `entries ${earlier} and ${place} alike`;
    places.set(String(id).toLowerCase(), place);
  }
  return "some alike";
}

/** The beginning of what came: enough to recognise it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

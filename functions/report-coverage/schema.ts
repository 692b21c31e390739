import { Type } from "typebox";
import { COVERAGE_STATES, RESOURCE_TYPES } from "../../shared/coverage/coverage.ts";

/** The maximum value of `max_age_hours`: ten years. */
const MAX_AGE_HOURS = 87_600;
/** The maximum value of `page`. */
const MAX_PAGE = 1_000_000;

const choices = <Value extends string>(values: readonly Value[]) =>
  Type.Optional(Type.Unsafe<Value[]>({ type: "array", minItems: 1, items: { enum: values } }));

/** Returns the schema for tags: an object as in policies, or an array of strings such as `backup=daily`. */
const tagFilters = () =>
  Type.Optional(
    Type.Unsafe<Record<string, string> | string[]>({
      type: ["object", "array"],
      minProperties: 1,
      propertyNames: { pattern: "^\\s*[^=\\s][^=]*$", "x-expected": 'a non-empty key without "="' },
      additionalProperties: { type: "string" },
      minItems: 1,
      items: { type: "string", pattern: "^\\s*[^=\\s][^=]*=", "x-expected": "key=value, or key=* for any value" },
    }),
  );

/**
 * Validates the query parameters of a request, and the `user_event` of a timer. query.ts splits strings at commas before the
 * validation, so both have the same format and the same messages.
 */
export const query = Type.Object(
  {
    max_age_hours: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_AGE_HOURS })),
    kinds: choices(RESOURCE_TYPES),
    tags: tagFilters(),
    exclude_tags: tagFilters(),
    states: choices(COVERAGE_STATES),
    format: Type.Optional(Type.Unsafe<"html" | "json" | "csv">({ enum: ["html", "json", "csv"] })),
    page: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE })),
  },
  { additionalProperties: false },
);

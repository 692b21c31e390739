/** Checks the arguments of blocks such as `variable` and `output`, and converts values to the types of variables. */
import { EvaluationError, type Expressions } from "./expressions.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

/** Maps each type of block to its allowed arguments (`may`) and its required arguments (`must`). */
const LANGUAGE: Record<string, { may: string[]; must?: string[] }> = {
  terraform: { may: ["required_version", "required_providers"], must: ["required_version", "required_providers"] },
  variable: { may: ["type", "default", "description", "validation", "sensitive", "nullable"], must: ["type"] },
  output: { may: ["value", "description", "sensitive"], must: ["value"] },
  lifecycle: {
    may: ["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by", "precondition"],
  },
  precondition: { may: ["condition", "error_message"], must: ["condition", "error_message"] },
  check: { may: ["assert"], must: ["assert"] },
  assert: { may: ["condition", "error_message"], must: ["condition", "error_message"] },
  validation: { may: ["condition", "error_message"], must: ["condition", "error_message"] },
};

/** Reports unknown and missing arguments of a block and of its nested blocks. */
export function languageFaults(kind: string, body: Any): string[] {
  const { may = [], must = [] } = LANGUAGE[kind] ?? {};
  return [
    ...Object.keys(body)
      .filter((name) => !may.includes(name))
      .map((name) => `${kind}: there is no argument ${name}`),
    ...must.filter((name) => !(name in body)).map((name) => `${kind}: the argument ${name} is missing`),
    ...["validation", "precondition", "assert"].flatMap((inner) =>
      (body[inner] ?? []).flatMap((one: Any) => languageFaults(inner, one)),
    ),
  ];
}

/** Converts a value to the type of a variable as Terraform does: adds defaults of `optional(…)` and drops unknown fields. */
export function convert(type: Any, value: Any, source: string, expressions: Expressions): Any {
  if (type.type === "scopeTraversal") {
    const name = type.meta.value;
    if (name === "any") return value;
    const is = name === "bool" ? "boolean" : name;
    if (typeof value !== is) throw new EvaluationError(`expected a ${name}, got ${JSON.stringify(value)}`);
    return value;
  }
  const [inner] = type.children;
  switch (type.meta.name) {
    case "set":
    case "list":
      return value.map((one: Any) => convert(inner, one, source, expressions));
    case "map":
      return Object.fromEntries(
        Object.entries(value).map(([key, one]) => [key, convert(inner, one, source, expressions)]),
      );
    case "object":
      return Object.fromEntries(
        expressions.pairs(inner, source, { names: {} }).map(([key, field]) => {
          const optional = field.meta.name === "optional";
          if (value[key] !== undefined && value[key] !== null) {
            return [key, convert(optional ? field.children[0] : field, value[key], source, expressions)];
          }
          if (!optional) throw new EvaluationError(`expected ${key}`);
          const [, defaultValue] = field.children;
          return [key, defaultValue === undefined ? null : expressions.evaluate(defaultValue, source, { names: {} })];
        }),
      );
    default:
      throw new EvaluationError(`the type ${type.meta.value} is not supported`);
  }
}

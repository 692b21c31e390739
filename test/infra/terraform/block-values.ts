/** Evaluates the arguments and the nested blocks of a block. */
import { EvaluationError, type Expressions, type Scope } from "./expressions.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type, and nodes of every shape
type Any = any;

/** The arguments that Terraform itself reads. */
export const META = ["for_each", "count", "lifecycle", "depends_on", "provider"];

/** Returns the values of all arguments of a block. A nested block is an array of objects. */
export function blockValues(body: Any, scope: Scope, expressions: Expressions): Record<string, Any> {
  const values: [string, Any][] = Object.entries(body)
    .filter(([name]) => !META.includes(name) && name !== "dynamic")
    .map(([name, text]) => {
      const isBlocks = Array.isArray(text) && text.every((one) => one !== null && typeof one === "object");
      const value = isBlocks ? text.map((one) => blockValues(one, scope, expressions)) : expressions.value(text, scope);
      return [name, value];
    });
  const dynamic = Object.entries<Any>(body.dynamic ?? {}).map(([name, blocks]): [string, Any] => {
    if (name in body) throw new EvaluationError(`the block ${name} is both static and dynamic`);
    return [name, blocks.flatMap((one: Any) => dynamicBlocks(name, one, scope, expressions))];
  });
  return Object.fromEntries([...values, ...dynamic]);
}

/** Returns one block for each element of `for_each`. The content of the block reads the element by the name of the block. */
function dynamicBlocks(name: string, { for_each, content, ...others }: Any, scope: Scope, expressions: Expressions) {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new EvaluationError(`dynamic: there is no argument ${unknown}`);
  if (content?.length !== 1) throw new EvaluationError(`dynamic ${name}: expected one content block`);
  const each = expressions.value(for_each, scope);
  return Object.entries<Any>(each).map(([key, value]) =>
    blockValues(content[0], { ...scope, names: { ...scope.names, [name]: { key, value } } }, expressions),
  );
}

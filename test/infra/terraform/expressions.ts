/** Evaluates the Terraform expressions that infra/terraform uses, and throws an error for any other expression. */
import { FUNCTIONS } from "./plan-functions.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type, and nodes of every shape
type Any = any;

export class EvaluationError extends Error {}

/** The syntax tree of an expression, and the text to which the positions in the tree refer. */
export interface Expression {
  source: string;
  node: Any;
}

/** Maps the text of each expression to its syntax tree. */
export type Asts = Map<string, Expression>;

export interface Scope {
  /** The values of loop variables, `each` and `count` in an expression. */
  names: Record<string, Any>;
}

/** One instance of a resource or data source, whose attributes are evaluated when an expression reads them. */
export class Instance {
  readonly address: string;
  readonly read: (attribute: string) => Any;
  constructor(address: string, read: (attribute: string) => Any) {
    this.address = address;
    this.read = read;
  }
}

/** Resolves the variables, locals, resources and data sources in expressions. */
interface References {
  variables: Record<string, Any>;
  local(name: string): Any;
  resource(kind: "resource" | "data", type: string, name: string): Any;
}

export class Expressions {
  readonly #asts: Asts;
  readonly #references: References;

  constructor(asts: Asts, references: References) {
    this.#asts = asts;
    this.#references = references;
  }

  /** Evaluates the expressions in the output of the HCL parser, which is JSON with expressions as strings. */
  value(json: Any, scope: Scope): Any {
    if (typeof json === "string") {
      const expression = this.#asts.get(json);
      if (expression === undefined) return json.replaceAll("$${", "${");
      const { source, node } = expression;
      const value = this.evaluate(node, source, scope);
      return source.startsWith("<<TEXT\n") ? String(value).replace(/\n$/, "") : value;
    }
    if (Array.isArray(json)) return json.map((one) => this.value(one, scope));
    if (json === null || typeof json !== "object") return json;
    return Object.fromEntries(Object.entries(json).map(([key, one]) => [key, this.value(one, scope)]));
  }

  evaluate(node: Any, source: string, scope: Scope): Any {
    const inner = (child: Any, names: Record<string, Any> = {}) =>
      this.evaluate(child, source, { names: { ...scope.names, ...names } });
    const { children = [], meta = {} } = node;
    switch (node.type) {
      case "literalValue":
        return literalOf(meta, source);
      case "template":
        return this.#template(node, source, scope);
      case "templateWrap":
      case "":
        return inner(children[0]);
      case "tuple":
        return children.map((child: Any) => inner(child));
      case "object":
        return Object.fromEntries(this.pairs(node, source, scope).map(([key, value]) => [key, inner(value)]));
      case "scopeTraversal":
        return this.#traversed(meta.traversal, scope);
      case "relativeTraversal":
        return meta.traversal.reduce((value: Any, part: Any) => member(value, segmentOf(part)), inner(children[0]));
      case "index":
        return member(inner(children[0]), inner(children[1]));
      case "splat":
        return splat(inner(children[0]), children[1]);
      case "conditional": {
        const [condition, yes, no] = children;
        const chosen = inner(condition);
        if (typeof chosen !== "boolean")
          throw new EvaluationError(`${meta.conditionExpression}: expected true or false`);
        this.#expectSameType(yes, no, source, scope, meta.value);
        return inner(chosen ? yes : no);
      }
      case "unaryOp":
        return meta.operator === "logicalNot" ? !inner(children[0]) : -inner(children[0]);
      case "binaryOp":
        return this.#binary(node, source, scope);
      case "for":
        return this.#loop(node, source, scope);
      case "function":
        return this.#call(node, source, scope);
      default:
        throw new EvaluationError(`an expression of the type ${node.type} is not supported: ${meta.value}`);
    }
  }

  /** Throws, as Terraform does, if the values of `a ? yes : no` have different types. Does nothing if one cannot be evaluated. */
  #expectSameType(yes: Any, no: Any, source: string, scope: Scope, text: string): void {
    let both: Any[];
    try {
      both = [yes, no].map((node) => this.evaluate(node, source, scope));
    } catch {
      return;
    }
    const [a, b] = both.map((value) =>
      value === null
        ? null
        : Array.isArray(value)
          ? "list"
          : typeof value === "object"
            ? Object.keys(value).sort().join()
            : typeof value,
    );
    if (a !== null && b !== null && a !== b)
      throw new EvaluationError(`the results of the conditional ${text} have different types`);
  }

  #template(node: Any, source: string, scope: Scope): Any {
    const parts = node.children.map((child: Any) => {
      if (child.type === "literalValue" && child.meta.type === "string") {
        return String(node.meta.value).startsWith("<<") ? child.meta.value : unescaped(child.meta.value);
      }
      const value = this.evaluate(child, source, scope);
      if (value === null || typeof value === "object") {
        throw new EvaluationError(`${child.meta.value}: expected a string, got ${JSON.stringify(value)}`);
      }
      return String(value);
    });
    return parts.join("");
  }

  /** Returns the fields of an object expression: names as strings, values as syntax trees. */
  pairs(node: Any, source: string, scope: Scope): [string, Any][] {
    const pairs: [string, Any][] = [];
    for (let index = 0; index < node.children.length; index += 2) {
      const [key, value] = [node.children[index], node.children[index + 1]];
      const { start, end } = key.range;
      const bare = source.slice(start.byte, end.byte).trim();
      pairs.push([key.children.length === 0 ? bare : String(this.evaluate(key.children[0], source, scope)), value]);
    }
    return pairs;
  }

  #traversed(traversal: Any[], scope: Scope): Any {
    const [root, ...rest] = traversal.map(segmentOf);
    const follow = (value: Any, path: (string | number)[]): Any =>
      path.reduce((inner, part) => member(inner, part), value);
    const name = String(root);
    if (name in scope.names) return follow(scope.names[name], rest);
    const [first, second, ...others] = rest;
    switch (name) {
      case "var":
        if (!(String(first) in this.#references.variables)) throw new EvaluationError(`var.${first} is not defined`);
        return follow(this.#references.variables[String(first)], rest.slice(1));
      case "local":
        return follow(this.#references.local(String(first)), rest.slice(1));
      case "path":
        return "infra/terraform";
      case "data":
        return follow(this.#references.resource("data", String(first), String(second)), others);
      default:
        return follow(this.#references.resource("resource", name, String(first)), rest.slice(1));
    }
  }

  #binary({ children, meta }: Any, source: string, scope: Scope): Any {
    const side = (index: number) => this.evaluate(children[index], source, scope);
    switch (meta.operator) {
      case "logicalAnd":
        return side(0) && side(1);
      case "logicalOr":
        return side(0) || side(1);
      case "equal":
        return JSON.stringify(side(0)) === JSON.stringify(side(1));
      case "notEqual":
        return JSON.stringify(side(0)) !== JSON.stringify(side(1));
    }
    const [a, b] = [side(0), side(1)];
    if (typeof a !== "number" || typeof b !== "number")
      throw new EvaluationError(`${meta.value}: expected two numbers`);
    const results: Record<string, number | boolean> = {
      add: a + b,
      subtract: a - b,
      multiply: a * b,
      divide: a / b,
      greaterThan: a > b,
      greaterThanOrEqual: a >= b,
      lessThan: a < b,
      lessThanOrEqual: a <= b,
    };
    if (!(meta.operator in results)) throw new EvaluationError(`the operator ${meta.operator} is not supported`);
    return results[meta.operator];
  }

  #loop({ children, meta }: Any, source: string, scope: Scope): Any {
    if (meta.groupedValue) throw new EvaluationError("grouping (...) is not supported");
    const rest = [...children];
    const collection = this.evaluate(rest.shift(), source, scope);
    const keyNode = meta.keyExpression ? rest.shift() : undefined;
    const valueNode = rest.shift();
    const conditionNode = rest.shift();
    const entries: [Any, Any][] = Array.isArray(collection)
      ? collection.map((value, index) => [index, value])
      : Object.entries(collection).sort(([a], [b]) => (a < b ? -1 : 1));
    const results: [Any, Any][] = [];
    for (const [key, value] of entries) {
      const inner: Scope = {
        names: { ...scope.names, ...(meta.keyVar ? { [meta.keyVar]: key } : {}), [meta.valVar]: value },
      };
      if (conditionNode !== undefined && this.evaluate(conditionNode, source, inner) !== true) continue;
      results.push([
        keyNode === undefined ? undefined : this.evaluate(keyNode, source, inner),
        this.evaluate(valueNode, source, inner),
      ]);
    }
    if (keyNode === undefined) return results.map(([, value]) => value);
    const names = results.map(([key]) => key);
    if (new Set(names).size < names.length) throw new EvaluationError(`a key occurs twice: ${meta.value}`);
    return Object.fromEntries(results);
  }

  #call({ children, meta }: Any, source: string, scope: Scope): Any {
    const value = (child: Any) => this.evaluate(child, source, scope);
    if (meta.expandedFinalArgument) throw new EvaluationError("expanding (...) is not supported");
    if (meta.name === "try" || meta.name === "can") {
      for (const child of children) {
        try {
          const result = value(child);
          return meta.name === "can" ? true : result;
        } catch (thrown) {
          if (!(thrown instanceof EvaluationError)) throw thrown;
        }
      }
      if (meta.name === "can") return false;
      throw new EvaluationError(`every argument of ${meta.value} fails`);
    }
    const called = FUNCTIONS[meta.name];
    if (called === undefined) throw new EvaluationError(`the function ${meta.name} is not supported`);
    try {
      return called(...children.map(value));
    } catch (thrown) {
      throw thrown instanceof EvaluationError
        ? thrown
        : new EvaluationError(`${meta.value}: ${(thrown as Error).message}`);
    }
  }
}

function literalOf({ type, value }: Any, source: string): Any {
  if (type === "number") return Number(value);
  if (type === "bool") return value === "true";
  if (type === "dynamic") return null;
  return source.startsWith("<<") ? value : unescaped(value);
}

const unescaped = (text: string): string =>
  text.replace(/\\(u[\da-fA-F]{4}|.)/g, (_, sign: string) =>
    sign.startsWith("u")
      ? String.fromCharCode(Number.parseInt(sign.slice(1), 16))
      : ({ n: "\n", t: "\t", r: "\r" }[sign] ?? sign),
  );

const segmentOf = ({ type, segment }: Any): string | number => {
  if (type !== "indexTraversal") return segment;
  return /^\d+$/.test(segment) ? Number(segment) : String(segment).replace(/^"|"$/g, "");
};

/** Returns the field or element of a value: `value.name`, `value["name"]` or `value[0]`. */
function member(value: Any, name: string | number): Any {
  if (value instanceof Instance) return value.read(String(name));
  if (value !== null && typeof value === "object" && Object.hasOwn(value, name)) return value[name];
  throw new EvaluationError(`there is no ${JSON.stringify(name)} in ${JSON.stringify(value)?.slice(0, 100)}`);
}

function splat(value: Any, each: Any): Any {
  const all = Array.isArray(value) ? value : value === null ? [] : [value];
  if (each.type === "") return all;
  return all.map((one) => each.meta.traversal.reduce((inner: Any, part: Any) => member(inner, segmentOf(part)), one));
}

/**
 * What Terraform would make of infra/terraform, without Terraform: the files are read by HashiCorp's own HCL parser, and as
 * much of the language is evaluated as they use; anything else is an error. What only the cloud knows, such as an id, is
 * its address in angle brackets.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getExpressionAst, parse } from "./hcl.ts";
import { FUNCTIONS } from "./plan-functions.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type, and nodes of every shape
type Any = any;

/** File name -> text. */
export type Sources = Record<string, string>;

export interface Planned {
  /** `huaweicloud_fgs_function.this["pre-deploy"]` */
  address: string;
  type: string;
  name: string;
  key?: string | number;
  /** Arguments as configured; a block is a list of objects. */
  values: Record<string, Any>;
}

export interface Plan {
  resources: Planned[];
  data: Planned[];
  provider: Record<string, Any>;
  terraform: Record<string, Any>;
  locals: Record<string, Any>;
  outputs: Record<string, Any>;
  /** Attributes that are read of resources: `type.attribute`, or `data.type.attribute`. */
  reads: Set<string>;
  /** Validations and preconditions that are not met, and what makes no sense: nothing would be applied. */
  refusals: string[];
}

export class EvaluationError extends Error {}

const FOLDER = join(import.meta.dirname, "..", "..", "..", "infra", "terraform");

export const sources = (): Sources =>
  Object.fromEntries(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith(".tf"))
      .map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]),
  );

/** Parsed once: most of a broken copy is as it was. */
const files = new Map<string, Promise<Any>>();
const expressions = new Map<string, Promise<{ source: string; node: Any }>>();

export async function planOf(texts: Sources, variables: Record<string, Any>): Promise<Plan> {
  const module: Record<string, Any[]> = {};
  for (const [name, text] of Object.entries(texts)) {
    if (!files.has(text)) files.set(text, parse(name, text));
    for (const [kind, block] of Object.entries(await files.get(text))) module[kind] = [...(module[kind] ?? []), block];
  }
  const asts = new Map<string, { source: string; node: Any }>();
  await Promise.all(
    [...stringsIn(module)].filter(isTemplate).map(async (text) => {
      if (!expressions.has(text)) expressions.set(text, parseExpression(text));
      asts.set(text, (await expressions.get(text)) as { source: string; node: Any });
    }),
  );
  return new Evaluation(module, asts, variables).plan();
}

const isTemplate = (text: string) => /(?<!\$)\$\{/.test(text);

function* stringsIn(value: Any): Generator<string> {
  if (typeof value === "string") yield value;
  else if (value !== null && typeof value === "object")
    for (const inner of Object.values(value)) yield* stringsIn(inner);
}

/** `${expression}` as the parser gives it, or a text with expressions in it, which a heredoc takes as it is. */
async function parseExpression(text: string): Promise<{ source: string; node: Any }> {
  const whole = /^\$\{([\s\S]*)\}$/.exec(text)?.[1];
  const source = whole !== undefined && isBalanced(whole) ? whole : `<<TEXT\n${text}\nTEXT\n`;
  return { source, node: await getExpressionAst("expression.tf", source) };
}

/** Not `${a} and ${b}`. */
function isBalanced(text: string): boolean {
  let depth = 0;
  for (const sign of text) {
    depth += sign === "{" ? 1 : sign === "}" ? -1 : 0;
    if (depth < 0) return false;
  }
  return true;
}

interface Scope {
  /** Loop variables, `each` and `count`. */
  names: Record<string, Any>;
}

/** One instance of a resource or data source, whose attributes are looked up when they are asked for. */
class Instance {
  readonly address: string;
  readonly read: (attribute: string) => Any;
  constructor(address: string, read: (attribute: string) => Any) {
    this.address = address;
    this.read = read;
  }
}

const META = ["for_each", "count", "lifecycle", "depends_on", "provider"];

/** What Terraform itself defines: for each block all that it may have, and what it must have. */
const LANGUAGE: Record<string, { may: string[]; must?: string[] }> = {
  terraform: { may: ["required_version", "required_providers"], must: ["required_version", "required_providers"] },
  variable: { may: ["type", "default", "description", "validation", "sensitive", "nullable"], must: ["type"] },
  output: { may: ["value", "description", "sensitive"], must: ["value"] },
  lifecycle: {
    may: ["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by", "precondition"],
  },
  precondition: { may: ["condition", "error_message"], must: ["condition", "error_message"] },
  validation: { may: ["condition", "error_message"], must: ["condition", "error_message"] },
};

class Evaluation {
  readonly #module: Record<string, Any[]>;
  readonly #asts: Map<string, { source: string; node: Any }>;
  readonly #variables: Record<string, Any> = {};
  readonly #locals = new Map<string, { text: Any; state: "new" | "busy" | "done"; value?: Any }>();
  readonly #instances = new Map<string, Instance | Instance[] | Record<string, Instance>>();
  readonly #refusals: string[] = [];
  readonly #reads = new Set<string>();

  constructor(
    module: Record<string, Any[]>,
    asts: Map<string, { source: string; node: Any }>,
    given: Record<string, Any>,
  ) {
    this.#module = module;
    this.#asts = asts;
    for (const block of module.locals ?? []) {
      for (const part of block) {
        for (const [name, text] of Object.entries(part)) {
          if (this.#locals.has(name)) throw new EvaluationError(`local.${name} is there twice`);
          this.#locals.set(name, { text, state: "new" });
        }
      }
    }
    for (const body of (module.terraform ?? []).flat()) this.#checkLanguage("terraform", body);
    for (const kind of ["variable", "output"]) {
      for (const [, body] of this.#blocks(kind)) this.#checkLanguage(kind, body);
    }
    this.#readVariables(given);
  }

  #checkLanguage(kind: string, body: Any): void {
    const { may = [], must = [] } = LANGUAGE[kind] ?? {};
    for (const name of Object.keys(body)) if (!may.includes(name)) this.#refusals.push(`${kind}: there is no ${name}`);
    for (const name of must) if (!(name in body)) this.#refusals.push(`${kind}: expected ${name}`);
    for (const inner of body.validation ?? []) this.#checkLanguage("validation", inner);
    for (const inner of body.precondition ?? []) this.#checkLanguage("precondition", inner);
  }

  plan(): Plan {
    const plan: Plan = {
      resources: [],
      data: [],
      provider: {},
      terraform: Object.assign({}, ...(this.#module.terraform ?? []).flat()),
      locals: {},
      outputs: {},
      reads: this.#reads,
      refusals: this.#refusals,
    };
    // Values that are refused go no further.
    if (this.#refusals.length > 0) return plan;
    try {
      this.#all("data", plan.data);
      this.#all("resource", plan.resources);
      const providers = (this.#module.provider ?? []).flatMap((one) => one.huaweicloud ?? []);
      plan.provider = this.#body(providers[0] ?? {}, { names: {} });
      for (const name of this.#locals.keys()) plan.locals[name] = this.#local(name);
      for (const [name, { value }] of this.#blocks("output")) plan.outputs[name] = this.#value(value, { names: {} });
    } catch (thrown) {
      if (!(thrown instanceof EvaluationError)) throw thrown;
      this.#refusals.push(thrown.message);
    }
    return plan;
  }

  /** Every block of a kind with one label. */
  #blocks(kind: string): [string, Any][] {
    return (this.#module[kind] ?? []).flatMap((block) =>
      Object.entries(block).flatMap(([name, bodies]) => (bodies as Any[]).map((body) => [name, body] as [string, Any])),
    );
  }

  #readVariables(given: Record<string, Any>): void {
    const known = this.#blocks("variable");
    for (const name of Object.keys(given)) {
      if (!known.some(([one]) => one === name)) this.#refusals.push(`There is no variable ${name}.`);
    }
    for (const [name, body] of known) {
      if (given[name] === undefined && body.default === undefined) {
        this.#refusals.push(`The variable ${name} is not set.`);
        continue;
      }
      const value = given[name] ?? this.#value(body.default, { names: {} });
      const type = this.#asts.get(body.type);
      try {
        this.#variables[name] =
          type === undefined || value === null ? value : this.#converted(type.node, value, type.source);
      } catch (thrown) {
        this.#refusals.push(`${name}: ${(thrown as Error).message}`);
      }
    }
    for (const [name, { validation = [] }] of known) {
      if (!(name in this.#variables)) continue;
      for (const { condition, error_message } of validation) this.#demand(condition, error_message, { names: {} });
    }
  }

  #demand(condition: Any, message: Any, scope: Scope): void {
    try {
      if (this.#value(condition, scope) !== true) this.#refusals.push(String(this.#value(message, scope)));
    } catch (thrown) {
      if (!(thrown instanceof EvaluationError)) throw thrown;
      this.#refusals.push(thrown.message);
    }
  }

  /** What a type makes of a value: `optional` ones are filled in, what an object type does not name is dropped. */
  #converted(type: Any, value: Any, source: string): Any {
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
        return value.map((one: Any) => this.#converted(inner, one, source));
      case "map":
        return Object.fromEntries(
          Object.entries(value).map(([key, one]) => [key, this.#converted(inner, one, source)]),
        );
      case "object":
        return Object.fromEntries(
          this.#pairs(inner, source, { names: {} }).map(([key, field]) => {
            const optional = field.meta.name === "optional";
            if (value[key] !== undefined && value[key] !== null) {
              return [key, this.#converted(optional ? field.children[0] : field, value[key], source)];
            }
            if (!optional) throw new EvaluationError(`expected ${key}`);
            const [, byDefault] = field.children;
            return [key, byDefault === undefined ? null : this.#evaluate(byDefault, source, { names: {} })];
          }),
        );
      default:
        throw new EvaluationError(`the type ${type.meta.value} is not understood`);
    }
  }

  #local(name: string): Any {
    const local = this.#locals.get(name);
    if (local === undefined) throw new EvaluationError(`local.${name} is not defined`);
    if (local.state === "busy") throw new EvaluationError(`local.${name} needs itself`);
    if (local.state === "new") {
      local.state = "busy";
      local.value = this.#value(local.text, { names: {} });
      local.state = "done";
    }
    return local.value;
  }

  #all(kind: "resource" | "data", found: Planned[]): void {
    for (const block of this.#module[kind] ?? []) {
      for (const [type, byName] of Object.entries(block)) {
        for (const [name, bodies] of Object.entries(byName as Record<string, Any[]>)) {
          const same = (this.#module[kind] ?? []).flatMap((one) => one[type]?.[name] ?? []);
          if (same.length !== 1) throw new EvaluationError(`${type}.${name} is there ${same.length} times`);
          for (const { key, scope, address } of this.#keys(kind, type, name)) {
            for (const { precondition = [], replace_triggered_by = [], ...rest } of bodies[0].lifecycle ?? []) {
              this.#checkLanguage("lifecycle", { precondition, ...rest });
              this.#value(replace_triggered_by, scope);
              for (const { condition, error_message } of precondition) this.#demand(condition, error_message, scope);
            }
            found.push({
              address,
              type,
              name,
              ...(key === undefined ? {} : { key }),
              values: this.#body(bodies[0], scope),
            });
          }
        }
      }
    }
  }

  /** The instances of a resource: one, `count` of them, or one for each. */
  #keys(
    kind: "resource" | "data",
    type: string,
    name: string,
  ): { key?: string | number; scope: Scope; address: string }[] {
    const body = this.#bodyOf(kind, type, name);
    const address = `${kind === "data" ? "data." : ""}${type}.${name}`;
    if (body.count !== undefined) {
      const count = this.#value(body.count, { names: {} });
      return Array.from({ length: count }, (_, index) => ({
        key: index,
        scope: { names: { count: { index } } },
        address: `${address}[${index}]`,
      }));
    }
    if (body.for_each === undefined) return [{ scope: { names: {} }, address }];
    const each = this.#value(body.for_each, { names: {} });
    const entries: [string, Any][] = Array.isArray(each) ? each.map((one) => [one, one]) : Object.entries(each);
    return entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, scope: { names: { each: { key, value } } }, address: `${address}["${key}"]` }));
  }

  #bodyOf(kind: "resource" | "data", type: string, name: string): Any {
    for (const block of this.#module[kind] ?? []) {
      const body = block[type]?.[name]?.[0];
      if (body !== undefined) return body;
    }
    throw new EvaluationError(`there is no ${kind} ${type}.${name}`);
  }

  #resource(kind: "resource" | "data", type: string, name: string): Instance | Instance[] | Record<string, Instance> {
    const id = `${kind}.${type}.${name}`;
    const known = this.#instances.get(id);
    if (known !== undefined) return known;
    const body = this.#bodyOf(kind, type, name);
    const instances = this.#keys(kind, type, name).map(({ key, scope, address }) => ({
      key,
      instance: new Instance(address, (attribute) => {
        this.#reads.add(`${kind === "data" ? "data." : ""}${type}.${attribute}`);
        const text = body[attribute];
        return text === undefined || META.includes(attribute) ? `<${address}.${attribute}>` : this.#value(text, scope);
      }),
    }));
    let result: Instance | Instance[] | Record<string, Instance>;
    if (body.count !== undefined) result = instances.map(({ instance }) => instance);
    else if (body.for_each !== undefined)
      result = Object.fromEntries(instances.map(({ key, instance }) => [key, instance]));
    else result = instances[0]?.instance as Instance;
    this.#instances.set(id, result);
    return result;
  }

  #body(body: Any, scope: Scope): Record<string, Any> {
    return Object.fromEntries(
      Object.entries(body)
        .filter(([name]) => !META.includes(name))
        .map(([name, text]) => {
          if (name === "dynamic") throw new EvaluationError("dynamic blocks are not understood");
          const isBlocks = Array.isArray(text) && text.every((one) => one !== null && typeof one === "object");
          return [name, isBlocks ? text.map((one) => this.#body(one, scope)) : this.#value(text, scope)];
        }),
    );
  }

  /** A value as the parser gives it: JSON, with expressions as texts. */
  #value(json: Any, scope: Scope): Any {
    if (typeof json === "string") {
      const expression = this.#asts.get(json);
      if (expression === undefined) return json.replaceAll("$${", "${");
      const { source, node } = expression;
      const value = this.#evaluate(node, source, scope);
      return source.startsWith("<<TEXT\n") ? String(value).replace(/\n$/, "") : value;
    }
    if (Array.isArray(json)) return json.map((one) => this.#value(one, scope));
    if (json === null || typeof json !== "object") return json;
    return Object.fromEntries(Object.entries(json).map(([key, one]) => [key, this.#value(one, scope)]));
  }

  #evaluate(node: Any, source: string, scope: Scope): Any {
    const inner = (child: Any, names: Record<string, Any> = {}) =>
      this.#evaluate(child, source, { names: { ...scope.names, ...names } });
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
        return Object.fromEntries(this.#pairs(node, source, scope).map(([key, value]) => [key, inner(value)]));
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
          throw new EvaluationError(`${meta.conditionExpression} is neither true nor false`);
        this.#sameShape(yes, no, source, scope, meta.value);
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
        throw new EvaluationError(`an expression of the type ${node.type} is not understood: ${meta.value}`);
    }
  }

  /** Terraform wants both results of a condition to have one type; where one of them cannot be had, nothing is known. */
  #sameShape(yes: Any, no: Any, source: string, scope: Scope, text: string): void {
    let both: Any[];
    try {
      both = [yes, no].map((node) => this.#evaluate(node, source, scope));
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
    if (a !== null && b !== null && a !== b) throw new EvaluationError(`the results of ${text} have two types`);
  }

  #template(node: Any, source: string, scope: Scope): Any {
    const parts = node.children.map((child: Any) => {
      if (child.type === "literalValue" && child.meta.type === "string") {
        return String(node.meta.value).startsWith("<<") ? child.meta.value : unescaped(child.meta.value);
      }
      const value = this.#evaluate(child, source, scope);
      if (value === null || typeof value === "object") {
        throw new EvaluationError(`${child.meta.value} is no text: ${JSON.stringify(value)}`);
      }
      return String(value);
    });
    return parts.join("");
  }

  /** The pairs of an object: keys as texts, values as nodes. */
  #pairs(node: Any, source: string, scope: Scope): [string, Any][] {
    const pairs: [string, Any][] = [];
    for (let index = 0; index < node.children.length; index += 2) {
      const [key, value] = [node.children[index], node.children[index + 1]];
      const { start, end } = key.range;
      const bare = source.slice(start.byte, end.byte).trim();
      pairs.push([key.children.length === 0 ? bare : String(this.#evaluate(key.children[0], source, scope)), value]);
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
        if (!(String(first) in this.#variables)) throw new EvaluationError(`var.${first} is not there`);
        return follow(this.#variables[String(first)], rest.slice(1));
      case "local":
        return follow(this.#local(String(first)), rest.slice(1));
      case "path":
        return "infra/terraform";
      case "data":
        return follow(this.#resource("data", String(first), String(second)), others);
      default:
        return follow(this.#resource("resource", name, String(first)), rest.slice(1));
    }
  }

  #binary({ children, meta }: Any, source: string, scope: Scope): Any {
    const side = (index: number) => this.#evaluate(children[index], source, scope);
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
    if (typeof a !== "number" || typeof b !== "number") throw new EvaluationError(`${meta.value} needs two numbers`);
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
    if (!(meta.operator in results)) throw new EvaluationError(`the operator ${meta.operator} is not understood`);
    return results[meta.operator];
  }

  #loop({ children, meta }: Any, source: string, scope: Scope): Any {
    if (meta.groupedValue) throw new EvaluationError("grouping (...) is not understood");
    const rest = [...children];
    const collection = this.#evaluate(rest.shift(), source, scope);
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
      if (conditionNode !== undefined && this.#evaluate(conditionNode, source, inner) !== true) continue;
      results.push([
        keyNode === undefined ? undefined : this.#evaluate(keyNode, source, inner),
        this.#evaluate(valueNode, source, inner),
      ]);
    }
    if (keyNode === undefined) return results.map(([, value]) => value);
    const names = results.map(([key]) => key);
    if (new Set(names).size < names.length) throw new EvaluationError(`a key is there twice: ${meta.value}`);
    return Object.fromEntries(results);
  }

  #call({ children, meta }: Any, source: string, scope: Scope): Any {
    const value = (child: Any) => this.#evaluate(child, source, scope);
    if (meta.expandedFinalArgument) throw new EvaluationError("expanding (...) is not understood");
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
      throw new EvaluationError(`nothing of ${meta.value} can be had`);
    }
    const called = FUNCTIONS[meta.name];
    if (called === undefined) throw new EvaluationError(`the function ${meta.name} is not understood`);
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

/** `value.name`, `value[0]`, `value["name"]` */
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

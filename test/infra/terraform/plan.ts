/**
 * Plans infra/terraform without Terraform. HashiCorp's HCL parser reads the files. The evaluation supports the language features
 * that the files use, and throws an error for any other feature. If only the cloud can assign a value, such as an id, the plan
 * contains the address of the attribute in angle brackets.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { blockValues, META } from "./block-values.ts";
import { type Asts, EvaluationError, type Expression, Expressions, Instance, type Scope } from "./expressions.ts";
import { parse, parseExpression } from "./hcl.ts";
import { convert, languageFaults } from "./language.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type, and nodes of every shape
type Any = any;

/** Maps file names to the texts of the files. */
export type Sources = Record<string, string>;

export interface Planned {
  /** The Terraform address, such as `huaweicloud_fgs_function.this["pre-deploy"]`. */
  address: string;
  type: string;
  name: string;
  key?: string | number;
  /** The configured arguments. A nested block is an array of objects. */
  values: Record<string, Any>;
}

export interface Plan {
  resources: Planned[];
  data: Planned[];
  provider: Record<string, Any>;
  terraform: Record<string, Any>;
  locals: Record<string, Any>;
  outputs: Record<string, Any>;
  /** The resource attributes that the module reads, as `type.attribute` or `data.type.attribute`. */
  reads: Set<string>;
  /** The messages of failed checks, which Terraform prints as warnings. */
  warnings: string[];
  /** The messages of failed validations, preconditions and evaluations. If the array is not empty, Terraform applies nothing. */
  refusals: string[];
}

const FOLDER = join(import.meta.dirname, "..", "..", "..", "infra", "terraform");

export const sources = (): Sources =>
  Object.fromEntries(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith(".tf"))
      .map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]),
  );

/** Cache the parsed files and expressions, because broken copies of the module differ in few places. */
const files = new Map<string, Promise<Any>>();
const expressions = new Map<string, Promise<Expression>>();

export async function planOf(texts: Sources, variables: Record<string, Any>): Promise<Plan> {
  const module: Record<string, Any[]> = {};
  for (const [name, text] of Object.entries(texts)) {
    if (!files.has(text)) files.set(text, parse(name, text));
    for (const [kind, block] of Object.entries(await files.get(text))) module[kind] = [...(module[kind] ?? []), block];
  }
  const asts: Asts = new Map();
  await Promise.all(
    [...stringsIn(module)].filter(isTemplate).map(async (text) => {
      if (!expressions.has(text)) expressions.set(text, parseExpression(text));
      asts.set(text, (await expressions.get(text)) as Expression);
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

class Evaluation {
  readonly #module: Record<string, Any[]>;
  readonly #asts: Asts;
  readonly #expressions: Expressions;
  readonly #variables: Record<string, Any> = {};
  readonly #locals = new Map<string, { text: Any; state: "new" | "busy" | "done"; value?: Any }>();
  readonly #instances = new Map<string, Instance | Instance[] | Record<string, Instance>>();
  readonly #refusals: string[] = [];
  readonly #reads = new Set<string>();

  constructor(module: Record<string, Any[]>, asts: Asts, given: Record<string, Any>) {
    this.#module = module;
    this.#asts = asts;
    this.#expressions = new Expressions(asts, {
      variables: this.#variables,
      local: (name) => this.#local(name),
      resource: (kind, type, name) => this.#resource(kind, type, name),
    });
    for (const block of module.locals ?? []) {
      for (const part of block) {
        for (const [name, text] of Object.entries(part)) {
          if (this.#locals.has(name)) throw new EvaluationError(`local.${name} is defined twice`);
          this.#locals.set(name, { text, state: "new" });
        }
      }
    }
    for (const body of (module.terraform ?? []).flat()) this.#check("terraform", body);
    for (const kind of ["variable", "output", "check"]) {
      for (const [, body] of this.#blocks(kind)) this.#check(kind, body);
    }
    this.#readVariables(given);
  }

  #check(kind: string, body: Any): void {
    this.#refusals.push(...languageFaults(kind, body));
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
      warnings: [],
      refusals: this.#refusals,
    };
    // Terraform makes no plan with invalid variables.
    if (this.#refusals.length > 0) return plan;
    try {
      this.#all("data", plan.data);
      this.#all("resource", plan.resources);
      const providers = (this.#module.provider ?? []).flatMap((one) => one.huaweicloud ?? []);
      plan.provider = blockValues(providers[0] ?? {}, { names: {} }, this.#expressions);
      for (const name of this.#locals.keys()) plan.locals[name] = this.#local(name);
      for (const [name, { value }] of this.#blocks("output"))
        plan.outputs[name] = this.#expressions.value(value, { names: {} });
      for (const [, { assert }] of this.#blocks("check")) {
        for (const { condition, error_message } of assert)
          this.#demand(condition, error_message, { names: {} }, plan.warnings);
      }
    } catch (thrown) {
      if (!(thrown instanceof EvaluationError)) throw thrown;
      this.#refusals.push(thrown.message);
    }
    return plan;
  }

  /** Returns the label and the body of every block of a type, such as `variable`. */
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
      const value = given[name] ?? this.#expressions.value(body.default, { names: {} });
      const type = this.#asts.get(body.type);
      try {
        this.#variables[name] =
          type === undefined || value === null ? value : convert(type.node, value, type.source, this.#expressions);
      } catch (thrown) {
        this.#refusals.push(`${name}: ${(thrown as Error).message}`);
      }
    }
    for (const [name, { validation = [] }] of known) {
      if (!(name in this.#variables)) continue;
      for (const { condition, error_message } of validation) this.#demand(condition, error_message, { names: {} });
    }
  }

  /** Adds the message to `failed` unless the condition is true. */
  #demand(condition: Any, message: Any, scope: Scope, failed = this.#refusals): void {
    this.#attempt(() => {
      if (this.#expressions.value(condition, scope) !== true)
        failed.push(String(this.#expressions.value(message, scope)));
    });
  }

  /** Evaluates something. Adds the message of an evaluation error to the refusals. */
  #attempt(evaluate: () => void): void {
    try {
      evaluate();
    } catch (thrown) {
      if (!(thrown instanceof EvaluationError)) throw thrown;
      this.#refusals.push(thrown.message);
    }
  }

  #local(name: string): Any {
    const local = this.#locals.get(name);
    if (local === undefined) throw new EvaluationError(`local.${name} is not defined`);
    if (local.state === "busy") throw new EvaluationError(`local.${name} depends on itself`);
    if (local.state === "new") {
      local.state = "busy";
      local.value = this.#expressions.value(local.text, { names: {} });
      local.state = "done";
    }
    return local.value;
  }

  #all(kind: "resource" | "data", found: Planned[]): void {
    for (const block of this.#module[kind] ?? []) {
      for (const [type, byName] of Object.entries(block)) {
        for (const [name, bodies] of Object.entries(byName as Record<string, Any[]>)) {
          const same = (this.#module[kind] ?? []).flatMap((one) => one[type]?.[name] ?? []);
          if (same.length !== 1) throw new EvaluationError(`${type}.${name} is defined ${same.length} times`);
          for (const { key, scope, address } of this.#keys(kind, type, name)) {
            for (const { precondition = [], replace_triggered_by = [], ...rest } of bodies[0].lifecycle ?? []) {
              this.#check("lifecycle", { precondition, ...rest });
              this.#expressions.value(replace_triggered_by, scope);
              for (const { condition, error_message } of precondition) this.#demand(condition, error_message, scope);
            }
            // If a resource cannot be evaluated, the precondition of another resource can have the better message.
            this.#attempt(() => {
              const values = blockValues(bodies[0], scope, this.#expressions);
              found.push({ address, type, name, ...(key === undefined ? {} : { key }), values });
            });
          }
        }
      }
    }
  }

  /** Returns the instances of a resource. `count` or `for_each` defines their number. Without both, there is one instance. */
  #keys(
    kind: "resource" | "data",
    type: string,
    name: string,
  ): { key?: string | number; scope: Scope; address: string }[] {
    const body = this.#bodyOf(kind, type, name);
    const address = `${kind === "data" ? "data." : ""}${type}.${name}`;
    if (body.count !== undefined) {
      const count = this.#expressions.value(body.count, { names: {} });
      return Array.from({ length: count }, (_, index) => ({
        key: index,
        scope: { names: { count: { index } } },
        address: `${address}[${index}]`,
      }));
    }
    if (body.for_each === undefined) return [{ scope: { names: {} }, address }];
    const each = this.#expressions.value(body.for_each, { names: {} });
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
        return text === undefined || META.includes(attribute)
          ? `<${address}.${attribute}>`
          : this.#expressions.value(text, scope);
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
}

/** Compares a plan with provider-schema.json, the documented schema of the Huawei Cloud provider. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "./plan.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

export interface Argument {
  type: "String" | "Int" | "Bool" | "List" | "Map";
  required?: boolean;
  values?: (string | number)[];
  /** The minimum and the maximum of a number. */
  range?: [number, number];
  /** The minimum and the maximum length of a string. */
  length?: [number, number];
  /** The arguments of a nested block. */
  block?: Arguments;
}

export type Arguments = Record<string, Argument>;

export interface Documented {
  arguments: Arguments;
  attributes: string[];
  exactlyOneOf?: string[][];
}

interface Schema {
  provider: { source: string; version: string; arguments: string[] };
  payloads: Record<"timer" | "cts" | "smn" | "policy", Arguments>;
  resources: Record<string, Documented>;
  data: Record<string, Documented>;
}

export const SCHEMA: Schema = JSON.parse(readFileSync(join(import.meta.dirname, "provider-schema.json"), "utf8"));

/** Reports everything in a plan that the provider rejects or does not document. */
export function schemaFaults(plan: Plan): string[] {
  return [
    ...providerFaults(plan),
    ...plan.resources.flatMap(({ address, type, values }) =>
      documentedFaults(address, SCHEMA.resources[type] ?? BUILT_IN[type], values),
    ),
    ...plan.data.flatMap(({ address, type, values }) => documentedFaults(address, SCHEMA.data[type], values)),
    ...[...plan.reads].flatMap(readFaults),
    ...payloadFaults(plan),
  ];
}

function providerFaults({ provider, terraform }: Plan): string[] {
  const [required = {}] = terraform.required_providers ?? [];
  const { source, version } = required.huaweicloud ?? {};
  const major = SCHEMA.provider.version.split(".").slice(0, 2).join(".");
  return [
    ...(source === SCHEMA.provider.source ? [] : [`the provider's source is ${source}`]),
    ...(version === `~> ${major}`
      ? []
      : [`the provider's version is ${version}, the schema's ${SCHEMA.provider.version}`]),
    ...Object.keys(required)
      .filter((name) => name !== "huaweicloud")
      .map((name) => `the provider ${name} is not in the schema`),
    ...Object.keys(provider)
      .filter((name) => !SCHEMA.provider.arguments.includes(name))
      .map((name) => `provider: there is no argument ${name}`),
  ];
}

function documentedFaults(address: string, documented: Documented | undefined, values: Record<string, Any>): string[] {
  if (documented === undefined) return [`${address}: the provider has no such type`];
  const oneOf = (documented.exactlyOneOf ?? []).filter(
    (names) => names.filter((name) => (values[name] ?? null) !== null).length !== 1,
  );
  return [
    ...argumentFaults(address, documented.arguments, values),
    ...oneOf.map((names) => `${address}: expected exactly one of ${names.join(" and ")}`),
  ];
}

function argumentFaults(where: string, documented: Arguments, values: Record<string, Any>): string[] {
  const unknown = Object.keys(values).filter((name) => !(name in documented));
  const missing = Object.entries(documented).filter(
    ([name, { required }]) => required === true && (values[name] ?? null) === null,
  );
  return [
    ...unknown.map((name) => `${where}: there is no argument ${name}`),
    ...missing.map(([name]) => `${where}: the argument ${name} is required`),
    ...Object.entries(values).flatMap(([name, value]) => {
      const argument = documented[name];
      // Terraform treats an argument with the value null as not set.
      return argument === undefined || value === null ? [] : valueFaults(`${where}.${name}`, argument, value);
    }),
  ];
}

/** The resources that Terraform itself provides (Terraform documentation, "The terraform_data Managed Resource Type"). */
const BUILT_IN: Record<string, Documented> = {
  terraform_data: {
    arguments: { input: { type: "String" }, triggers_replace: { type: "List" } },
    attributes: ["id", "output"],
  },
};

const TYPES: Record<Argument["type"], (value: Any) => boolean> = {
  // Terraform converts a number or a boolean to a string, but infra/terraform must not rely on the conversion.
  String: (value) => typeof value === "string",
  Int: (value) => Number.isInteger(value),
  Bool: (value) => typeof value === "boolean",
  List: Array.isArray,
  Map: (value) => typeof value === "object" && !Array.isArray(value),
};

function valueFaults(where: string, { type, values, range, length, block }: Argument, value: Any): string[] {
  const json = JSON.stringify(value);
  if (!TYPES[type](value)) return [`${where}: expected ${type}, got ${json}`];
  const faults: string[] = [];
  if (values !== undefined && !values.includes(value))
    faults.push(`${where}: expected one of ${values.join(", ")}, got ${json}`);
  const [bounds, size] = type === "Int" ? [range, value] : [length, String(value).length];
  if (bounds !== undefined && !isUnknown(value) && (size < bounds[0] || size > bounds[1])) {
    faults.push(`${where}: expected ${bounds.join(" to ")}, got ${json}`);
  }
  if (type === "List" && block === undefined && value.some((one: Any) => typeof one === "object")) {
    faults.push(`${where}: expected an array of values, got blocks`);
  }
  if (block !== undefined) {
    value.forEach((one: Any, index: number) => {
      if (one === null || typeof one !== "object")
        faults.push(`${where}[${index}]: expected a block, got ${JSON.stringify(one)}`);
      else faults.push(...argumentFaults(`${where}[${index}]`, block, one));
    });
  }
  return faults;
}

/** Returns whether a value contains an attribute that only the cloud can assign. */
const isUnknown = (value: Any) => typeof value === "string" && value.includes("<");

/** Reports an attribute that the module reads but the provider does not document. */
function readFaults(read: string): string[] {
  const [, data, type = "", attribute = ""] = /^(data\.)?(\w+)\.(\w+)$/.exec(read) ?? [];
  const documented = (data === undefined ? { ...BUILT_IN, ...SCHEMA.resources } : SCHEMA.data)[type];
  if (documented === undefined) return [`${read}: the provider has no such type`];
  return documented.attributes.includes(attribute) || attribute in documented.arguments
    ? []
    : [`${read}: there is no such attribute`];
}

/** Checks the arguments whose values are JSON strings. */
function payloadFaults({ resources }: Plan): string[] {
  const payload = (address: string, name: keyof Schema["payloads"] | undefined, text: Any): string[] => {
    let value: Any;
    try {
      value = JSON.parse(text);
    } catch {
      return [`${address}: expected JSON, got ${JSON.stringify(text)}`];
    }
    return name === undefined ? [] : argumentFaults(address, SCHEMA.payloads[name], value);
  };
  return resources.flatMap(({ address, type, values }) => {
    switch (type) {
      case "huaweicloud_fgs_function_trigger":
        return payload(
          `${address}.event_data`,
          ({ TIMER: "timer", CTS: "cts" } as const)[values.type as "TIMER" | "CTS"],
          values.event_data,
        );
      case "huaweicloud_fgs_async_invoke_configuration":
        return (values.on_failure ?? []).flatMap((one: Any) =>
          payload(`${address}.on_failure.param`, "smn", one.param),
        );
      case "huaweicloud_identity_role":
        return payload(`${address}.policy`, "policy", values.policy);
      case "huaweicloud_fgs_function":
        return payload(`${address}.user_data`, undefined, values.user_data);
      default:
        return [];
    }
  });
}

/** Compares provider-schema.json, which follows the documentation of the provider, with the schema that the provider prints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Argument, type Arguments, type Documented, SCHEMA } from "../schema.ts";
import type { PrintedArgument, PrintedSchema } from "./printed-schema.ts";

const PRINTED: PrintedSchema = JSON.parse(readFileSync(join(import.meta.dirname, "printed-schema.json"), "utf8"));

/** Maps Terraform's notation of a type to the notation of the documentation. */
const TYPES: Record<string, Argument["type"]> = {
  string: "String",
  number: "Int",
  bool: "Bool",
  list: "List",
  set: "List",
  map: "Map",
};

const typeOf = ({ type, block }: PrintedArgument): Argument["type"] | undefined =>
  block === undefined ? TYPES[Array.isArray(type) ? type[0] : String(type)] : "List";

/** The arguments that the documentation calls required, although the provider accepts a resource without them. */
const REQUIRED_ONLY_BY_DOCUMENTATION = [
  "huaweicloud_fgs_function.app",
  "huaweicloud_fgs_function.code_type",
  "huaweicloud_fgs_function.handler",
  "huaweicloud_apig_api.mock.response",
];

/** The entries of `REQUIRED_ONLY_BY_DOCUMENTATION` that explained a difference. */
const usedExceptions = new Set<string>();

function isKnownException(path: string): boolean {
  const isKnown = REQUIRED_ONLY_BY_DOCUMENTATION.includes(path);
  if (isKnown) usedExceptions.add(path);
  return isKnown;
}

/**
 * Reports the arguments in which the documentation and the provider differ. The provider may have more optional arguments, because
 * the documentation does not describe internal and deprecated arguments.
 */
function differences(where: string, documented: Arguments, printed: Record<string, PrintedArgument>): string[] {
  const settable = Object.keys(printed).filter((name) => printed[name]?.required || printed[name]?.optional);
  const required = Object.keys(printed).filter((name) => printed[name]?.required);
  return [
    ...required
      .filter((name) => !(name in documented))
      .map((name) => `${where}.${name}: only the provider requires it`),
    ...Object.entries(documented).flatMap(([name, argument]) => {
      const own = printed[name];
      if (own === undefined || !settable.includes(name)) return [`${where}.${name}: only the documentation has it`];
      const type = typeOf(own);
      return [
        ...(type === argument.type ? [] : [`${where}.${name}: documented as ${argument.type}, printed as ${type}`]),
        ...((argument.required ?? false) === (own.required ?? false) ||
        (argument.required && isKnownException(`${where}.${name}`))
          ? []
          : [`${where}.${name}: differs in required`]),
        ...differences(`${where}.${name}`, argument.block ?? {}, own.block ?? {}),
      ];
    }),
  ];
}

const printedOf = (type: string) => (type in SCHEMA.resources ? PRINTED.resources : PRINTED.data)[type] ?? {};

const TABLE = [...Object.entries(SCHEMA.resources), ...Object.entries(SCHEMA.data)] as [string, Documented][];

describe("the documented schema of the provider", () => {
  test.each(TABLE)(
    "each documented argument and attribute of %s is also in the schema that the provider prints",
    (type, { arguments: documented, attributes }) => {
      const printed = printedOf(type);
      expect(Object.keys(printed), type).not.toEqual([]);
      expect(differences(type, documented, printed)).toEqual([]);
      expect(attributes.filter((name) => !(name in printed))).toEqual([]);
    },
  );

  test("each entry of REQUIRED_ONLY_BY_DOCUMENTATION explains a difference between the documented and the printed schema", () => {
    for (const [type, { arguments: documented }] of TABLE) differences(type, documented, printedOf(type));
    expect([...usedExceptions].sort()).toEqual([...REQUIRED_ONLY_BY_DOCUMENTATION].sort());
  });

  test("each documented argument of the provider block is also in the schema that the provider prints", () => {
    expect(SCHEMA.provider.arguments.filter((name) => !(name in PRINTED.provider))).toEqual([]);
  });

  test("the module accepts the version of the provider that printed the schema", () => {
    const [major, minor] = PRINTED.version.split(".");
    const versions = readFileSync(join(import.meta.dirname, "../../../../infra/terraform/versions.tf"), "utf8");
    expect(versions).toContain(`version = "~> ${major}.${minor}"`);
  });
});

import type Ajv from "ajv/dist/core";

const inLowerCase = (id: unknown) => JSON.stringify(id).toLowerCase();

/** Adds the `x-` keywords of this project's schemas, which shared/validation/validate.ts implements, to an ajv instance. */
export function withOurKeywords<Instance extends Ajv>(ajv: Instance): Instance {
  ajv.addKeyword("x-expected");
  ajv.addKeyword({
    keyword: "x-max-bytes",
    type: "string",
    validate: (maxBytes: number, text: string) => new TextEncoder().encode(text).length <= maxBytes,
  });
  ajv.addKeyword({
    keyword: "x-required-any-of",
    type: "object",
    validate: (names: string[], value: object) => names.some((name) => Object.keys(value).includes(name)),
  });
  ajv.addKeyword({
    keyword: "x-unique-ids",
    type: "array",
    validate: (_: boolean, ids: unknown[]) =>
      ids.every((id, index) => !ids.slice(0, index).some((earlier) => inLowerCase(earlier) === inLowerCase(id))),
  });
  return ajv;
}

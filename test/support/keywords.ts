import type Ajv from "ajv/dist/core";

const lower = (id: unknown) => JSON.stringify(id).toLowerCase();

/** Tells ajv the keywords of our schemas (shared/validation/validate.ts). */
export function withOurKeywords<Made extends Ajv>(made: Made): Made {
  made.addKeyword("x-expected");
  made.addKeyword({
    keyword: "x-max-bytes",
    type: "string",
    validate: (most: number, text: string) => new TextEncoder().encode(text).length <= most,
  });
  made.addKeyword({
    keyword: "x-required-any-of",
    type: "object",
    validate: (names: string[], value: object) => names.some((name) => Object.keys(value).includes(name)),
  });
  made.addKeyword({
    keyword: "x-unique-ids",
    type: "array",
    validate: (_: boolean, ids: unknown[]) =>
      ids.every((id, place) => !ids.slice(0, place).some((one) => lower(one) === lower(id))),
  });
  return made;
}

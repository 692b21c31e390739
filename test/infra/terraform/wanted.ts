/** Defines the expected content of a deployment, and compares expected with actual values. */
import { loadDefinitions } from "../../../infra/definitions.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

const HTTP_FUNCTIONS = (await loadDefinitions())
  .filter(({ trigger }) => trigger.type === "http")
  .map(({ name }) => name);

export const isHttp = (name: string) => HTTP_FUNCTIONS.includes(name);

export interface Wanted {
  functions: string[];
  policies: Record<string, Any>;
  diskAttachedKind: string;
  /** The names of functions that may delete old snapshots of a disk with the maximum number of snapshots. */
  makingRoom: string[];
}

/** Reports values that are missing, superfluous or repeated. */
export const different = (what: string, got: string[], expected: string[]): string[] => [
  ...expected.filter((one) => !got.includes(one)).map((one) => `${what}: ${one} is missing`),
  ...got.filter((one) => !expected.includes(one)).map((one) => `${what}: ${one} is superfluous`),
  ...got.filter((one, index) => got.indexOf(one) < index).map((one) => `${what}: ${one} occurs twice`),
];

export const urnOf = (name: string) => `<huaweicloud_fgs_function.this["${name}"].urn>`;

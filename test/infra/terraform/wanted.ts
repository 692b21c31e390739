/** Defines the expected content of a deployment, and compares expected with actual values. */
import { loadDefinitions } from "../../../infra/definitions.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

const DEFINITIONS = await loadDefinitions();
const namesWith = (type: string) => DEFINITIONS.filter(({ trigger }) => trigger.type === type).map(({ name }) => name);
const HTTP_FUNCTIONS = namesWith("http");
export const TIMER_FUNCTIONS = namesWith("timer");

/** The functions that a caller or a timer can start. */
const DUAL_FUNCTIONS = DEFINITIONS.filter(({ trigger }) => "hasTimer" in trigger).map(({ name }) => name);

/** Returns whether a function has an API. A function that also has a timer has an API only if there is a gateway. */
export const isHttp = (name: string, { hasGateway }: Wanted) =>
  HTTP_FUNCTIONS.includes(name) && (hasGateway || !DUAL_FUNCTIONS.includes(name));

/** Returns whether events without a caller start a function. */
export const isEvent = (name: string) => !HTTP_FUNCTIONS.includes(name) || DUAL_FUNCTIONS.includes(name);

/** Returns whether a function that `functions` can contain creates snapshots. */
export const isCreator = (name: string) => !TIMER_FUNCTIONS.includes(name) && !DUAL_FUNCTIONS.includes(name);

export const definitionOf = (name: string) => DEFINITIONS.find((one) => one.name === name);

export interface Wanted {
  functions: string[];
  hasGateway: boolean;
  /** The variable `coverage`. */
  coverage: Record<string, Any>;
  policies: Record<string, Any>;
  /** Whether prune-snapshots also runs for policies and functions without a retention, to delete duplicates. */
  deletesDuplicates: boolean;
  diskAttachedKind: string;
  /** The policies and kinds of snapshots that callers of pre-deploy can use. */
  gate: { policies: string[]; kinds: string[] };
  /** The names of functions that may delete old snapshots of a disk with the maximum number of snapshots. */
  makingRoom: string[];
}

/** Returns the functions whose snapshots no policy prunes, and whose duplicates prune-snapshots deletes. */
export const unprunedFunctions = ({ functions, policies, deletesDuplicates }: Wanted): string[] =>
  functions.filter((name) => deletesDuplicates && isCreator(name) && !Object.hasOwn(policies, name));

/** Returns whether prune-snapshots has a timer for a policy. */
export const isPruned = ({ deletesDuplicates }: Wanted, { retention }: { retention?: object }): boolean =>
  deletesDuplicates || retention !== undefined;

/** Reports values that are missing, superfluous or repeated. */
export const different = (what: string, got: string[], expected: string[]): string[] => [
  ...expected.filter((one) => !got.includes(one)).map((one) => `${what}: ${one} is missing`),
  ...got.filter((one) => !expected.includes(one)).map((one) => `${what}: ${one} is superfluous`),
  ...got.filter((one, index) => got.indexOf(one) < index).map((one) => `${what}: ${one} occurs twice`),
];

export const urnOf = (name: string) => `<huaweicloud_fgs_function.this["${name}"].urn>`;

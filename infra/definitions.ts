/** Loads the definitions of the functions for the code that generates documents and settings from them. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CloudCall } from "../shared/huaweicloud/calls.generated.ts";
import type { CallPurpose, FunctionDefinition } from "../shared/middleware/definition.ts";

const FUNCTIONS = join(import.meta.dirname, "..", "functions");

/** Returns the definition of every function, sorted by function name. */
export async function loadDefinitions(): Promise<FunctionDefinition[]> {
  const entries = await readdir(FUNCTIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => {
      const module = await import(pathToFileURL(join(FUNCTIONS, name, "function.ts")).href);
      return module.definition;
    }),
  );
}

/**
 * Returns the cloud calls that a function may make. Replaces an entry such as `every-kind.list` with the list calls of every
 * kind of snapshot.
 */
export function callsOf({ calls }: FunctionDefinition, definitions: readonly FunctionDefinition[]): CloudCall[] {
  const expanded = calls.flatMap((call): readonly CloudCall[] =>
    isCloudCall(call) ? [call] : definitions.flatMap(({ kindCalls }) => kindCalls?.[purposeOf(call)] ?? []),
  );
  return [...new Set(expanded)].sort();
}

const EVERY_KIND = "every-kind.";
const isCloudCall = (call: string): call is CloudCall => !call.startsWith(EVERY_KIND);
const purposeOf = (call: `every-kind.${CallPurpose}`) => call.slice(EVERY_KIND.length) as CallPurpose;

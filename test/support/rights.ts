/** What each function's agency may call, as infra/README.md says: method and path, by function. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROW = /^\| `((?:evs|ecs|dws|functiongraph|lts)\.\w+)` *\| `(\w+) ([^`]+)` *\|[^|]*\|([^|]*)\|/gm;

const rows = [...readFileSync(join(import.meta.dirname, "..", "..", "infra", "README.md"), "utf8").matchAll(ROW)].map(
  ([, operation = "", method = "", path = "", functions = ""]) => ({
    operation,
    method,
    path: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
    functions,
  }),
);

/** The calls that a function has no right to. */
export function withoutRight(name: string, calls: readonly { method: string; path: string }[]): string[] {
  const allowed = rows.filter(({ functions }) => functions.includes(`\`${name}\``) || functions.trim() === "all");
  return calls
    .filter(({ method, path }) => !allowed.some((one) => one.method === method && one.path.test(path)))
    .map(({ method, path }) => `${name} has no right to ${method} ${path}`);
}

/** The embedded cloud's names of all calls, each with the functions that may make it; undefined: all functions. */
export const CALLS = new Map(
  rows.map(({ operation, functions }) => {
    const names = [...functions.matchAll(/`([\w-]+)`/g)].map(([, name = ""]) => name);
    return [operation, names.length === 0 ? undefined : names];
  }),
);

/** Reads the table of permissions in infra/README.md: the API calls that each function's agency may make. */
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

/** Returns a message for each API call that the function's agency has no permission to make. */
export function withoutRight(name: string, calls: readonly { method: string; path: string }[]): string[] {
  const allowed = rows.filter(({ functions }) => functions.includes(`\`${name}\``) || functions.trim() === "all");
  return calls
    .filter(({ method, path }) => !allowed.some((row) => row.method === method && row.path.test(path)))
    .map(({ method, path }) => `infra/README.md gives ${name} no permission for ${method} ${path}`);
}

/** Maps each operation of the embedded cloud to the functions that may call it. Undefined means all functions. */
export const CALLS = new Map(
  rows.map(({ operation, functions }) => {
    const names = [...functions.matchAll(/`([\w-]+)`/g)].map(([, name = ""]) => name);
    return [operation, names.length === 0 ? undefined : names];
  }),
);

/**
 * Limits the bytes and the modules of the bundles. `npx tsx test/bench/budgets.ts` sets the budgets to what the bundles have
 * now; use it only if they are intended to grow.
 */
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const KB = 1024;
const ROOT = join(import.meta.dirname, "..", "..");
const FILE = join(import.meta.dirname, "budgets.json");

/** Targets for one function: its size in bytes, its times relative to the plain SDK, its memory relative to bare Node.js. */
export const TARGETS = { bytes: 48 * KB, bytesWithSdk: 96 * KB, load: 0.15, first: 0.35, rss: 1.2 } as const;

/** How much a bundle may grow before the budget has to change. */
const ROOM = 1.03;
const MODULES_MORE = 1;

export interface Bundle {
  name: string;
  contents: Uint8Array;
  /** File -> how many bytes of the bundle come from the file. */
  inputs: Record<string, number>;
}

export interface Budgets {
  functions: Record<string, { bytes: number; modules: number }>;
  /** File -> how many bytes of a bundle came from the file at most, when the budgets were written. */
  inputs: Record<string, number>;
}

/** Returns whether the official huaweicloud-sdk-evs is installed. Otherwise bundles have the smaller copy in shared. */
export const hasSdkEvs = (): boolean => existsSync(join(ROOT, "node_modules", "@huaweicloud", "huaweicloud-sdk-evs"));

export async function bundles(): Promise<Bundle[]> {
  const build: { bundles(): Promise<Bundle[]> } = await import(join(ROOT, "esbuild.config.mjs"));
  return build.bundles();
}

export const readBudgets = (): Budgets => JSON.parse(readFileSync(FILE, "utf8"));

/** How many bytes the official huaweicloud-sdk-evs adds to a bundle, compared with the copy. */
const SDK_EVS = 37 * KB;

/** Returns the budget of each function. With the official huaweicloud-sdk-evs it is larger. */
export async function limitsOf(): Promise<Budgets["functions"]> {
  const { functions } = readBudgets();
  if (!hasSdkEvs()) return functions;
  return Object.fromEntries(
    Object.entries(functions).map(([name, { bytes }]) => [
      name,
      { bytes: Math.max(TARGETS.bytesWithSdk, bytes + SDK_EVS), modules: Number.POSITIVE_INFINITY },
    ]),
  );
}

/** Returns why a bundle exceeds its budget, with the files that grew since the budgets were written, or undefined. */
export function excess({ name, contents, inputs }: Bundle, limit: { bytes: number; modules: number }, before: Budgets) {
  const modules = Object.keys(inputs).length;
  const faults = [
    contents.length > limit.bytes && `${contents.length} bytes, but may have only ${limit.bytes}`,
    modules > limit.modules && `${modules} modules, but may have only ${limit.modules}`,
  ].filter((fault) => fault !== false);
  if (faults.length === 0) return undefined;
  const grown = Object.entries(inputs)
    .map(([file, bytes]) => ({ file, bytes, by: bytes - (before.inputs[file] ?? 0) }))
    .filter(({ by }) => by > 0)
    .sort((a, b) => b.by - a.by)
    .map(({ file, bytes, by }) => `  ${file}: ${bytes} bytes, ${bytes === by ? "new" : `${by} more`}`);
  return `${name} has ${faults.join(", and ")}. What grew:\n${grown.join("\n")}\nIf this is intended, run: npx tsx test/bench/budgets.ts`;
}

export function budgetsFor(all: readonly Bundle[]): Budgets {
  const inputs: Record<string, number> = {};
  for (const bundle of all) {
    for (const [file, bytes] of Object.entries(bundle.inputs)) inputs[file] = Math.max(inputs[file] ?? 0, bytes);
  }
  return {
    functions: Object.fromEntries(
      all.map((bundle) => [
        bundle.name,
        {
          bytes: Math.ceil((bundle.contents.length * ROOM) / 128) * 128,
          modules: Object.keys(bundle.inputs).length + MODULES_MORE,
        },
      ]),
    ),
    inputs: Object.fromEntries(Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

if (process.argv[1] === import.meta.filename) {
  bundles().then((all) => writeFile(FILE, `${JSON.stringify(budgetsFor(all), null, 2)}\n`));
}

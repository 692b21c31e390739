/**
 * Limits the bytes and the modules of each bundle. `npx tsx test/bench/budgets.ts` sets the limits to the current values plus a
 * small margin. Run it only if you intend a bundle to grow.
 */
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const KB = 1024;
export const ROOT = join(import.meta.dirname, "..", "..");
const FILE = join(import.meta.dirname, "budgets.json");

/**
 * The maximum values that the bench accepts for each function. `load` and `first` are times relative to the plain SDK. `rss` is
 * memory relative to bare Node.js.
 */
export const TARGETS = { bytes: 96 * KB, load: 0.1, first: 0.2, rss: 1.1 } as const;

/** The factor by which a bundle may grow before its budget must be raised. */
const MAX_GROWTH = 1.03;
const EXTRA_MODULES = 1;

export interface Bundle {
  name: string;
  contents: Uint8Array;
  /** Maps each source file to the number of bytes that it contributes to the bundle. */
  inputs: Record<string, number>;
}

export interface Budgets {
  functions: Record<string, { bytes: number; modules: number }>;
  /** Maps each source file to the maximum number of bytes that it contributed to any bundle when the budgets were set. */
  inputs: Record<string, number>;
}

/** Returns whether the official huaweicloud-sdk-evs is installed. Without it, bundles contain the smaller copy in shared/. */
export const hasSdkEvs = (): boolean => existsSync(join(ROOT, "node_modules", "@huaweicloud", "huaweicloud-sdk-evs"));

export async function buildBundles(): Promise<Bundle[]> {
  const build: { buildBundles(): Promise<Bundle[]> } = await import(join(ROOT, "esbuild.config.mjs"));
  return build.buildBundles();
}

export const readBudgets = (): Budgets => JSON.parse(readFileSync(FILE, "utf8"));

/** The maximum size of a bundle in bytes, which is larger if the official huaweicloud-sdk-evs is installed. */
export const maxBundleBytes = (): number => TARGETS.bytes + (hasSdkEvs() ? SDK_EVS_EXTRA_BYTES : 0);

/** The number of bytes by which the official huaweicloud-sdk-evs is larger than the copy in shared/. */
const SDK_EVS_EXTRA_BYTES = 37 * KB;

/** Returns the budget of each function, which is larger if the official huaweicloud-sdk-evs is installed. */
export async function readLimits(): Promise<Budgets["functions"]> {
  const { functions } = readBudgets();
  if (!hasSdkEvs()) return functions;
  return Object.fromEntries(
    Object.entries(functions).map(([name, { bytes }]) => [
      name,
      { bytes: Math.max(TARGETS.bytes, bytes + SDK_EVS_EXTRA_BYTES), modules: Number.POSITIVE_INFINITY },
    ]),
  );
}

/**
 * Describes how a bundle exceeds its budget, and which files grew since the budgets were set.
 *
 * @returns undefined if the bundle is within its budget
 */
export function describeExcess(
  { name, contents, inputs }: Bundle,
  limit: { bytes: number; modules: number },
  { inputs: previousInputs }: Budgets,
) {
  const modules = Object.keys(inputs).length;
  const faults = [
    contents.length > limit.bytes && `${contents.length} bytes, at most ${limit.bytes} allowed`,
    modules > limit.modules && `${modules} modules, at most ${limit.modules} allowed`,
  ].filter((fault) => fault !== false);
  if (faults.length === 0) return undefined;
  const grown = Object.entries(inputs)
    .map(([file, bytes]) => ({ file, bytes, by: bytes - (previousInputs[file] ?? 0) }))
    .filter(({ by }) => by > 0)
    .sort((a, b) => b.by - a.by)
    .map(({ file, bytes, by }) => `  ${file}: ${bytes} bytes, ${bytes === by ? "new" : `${by} more`}`);
  return `${name} exceeds its budget: ${faults.join(", and ")}. Files that grew since the last budget:\n${grown.join("\n")}\nIf the growth is intended, run: npx tsx test/bench/budgets.ts`;
}

/** Returns budgets that allow each bundle to grow by the factor `MAX_GROWTH`. */
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
          bytes: Math.ceil((bundle.contents.length * MAX_GROWTH) / 128) * 128,
          modules: Object.keys(bundle.inputs).length + EXTRA_MODULES,
        },
      ]),
    ),
    inputs: Object.fromEntries(Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

if (process.argv[1] === import.meta.filename) {
  buildBundles().then((all) => writeFile(FILE, `${JSON.stringify(budgetsFor(all), null, 2)}\n`));
}

/**
 * Generates the registries. A registry is a file that imports every kind of snapshot, client or service in its folder. A
 * developer can therefore add a kind, client or service without changing another hand-written file. `npm run generate` writes
 * the registries. They are committed, and a test compares them with the folders.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = join(import.meta.dirname, "..", "..");
const HEADER = "// Made from the files of this folder by `npm run generate`. Do not edit.\n";

const KINDS = "shared/snapshots/kinds";
const CLIENTS = "shared/huaweicloud";
const SERVICES = "infra/local/cloud/services";

/** Returns the path and the text of each registry. */
export async function generateRegistries(): Promise<Map<string, string>> {
  return new Map([
    [join(ROOT, KINDS, "kinds.generated.ts"), await generateKindsRegistry()],
    [join(ROOT, CLIENTS, "clients.generated.ts"), await generateClientsRegistry()],
    [join(ROOT, CLIENTS, "calls.generated.ts"), await generateCallsRegistry()],
    [join(ROOT, SERVICES, "services.generated.ts"), await generateServicesRegistry()],
  ]);
}

/**
 * Returns the registry of the kinds of snapshots. The file `snapshot-group.ts` defines the kind `snapshot-group` and
 * exports it as `snapshotGroupKind`.
 */
async function generateKindsRegistry(): Promise<string> {
  const modules = (await loadModules(KINDS)).filter(({ file, module }) => isKind(module[toKindName(file)]));
  const kinds = sortByKind(modules, ({ file }) => file);
  return `${HEADER}${generateImports(kinds, ({ file }) => toKindName(file))}import type { Kind } from "./kind.ts";

/** All kinds of snapshots, by name. */
export const KINDS = {
${kinds.map(({ file }) => `  "${file}": ${toKindName(file)},\n`).join("")}} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

/** The names of all kinds. A bundle that needs only the names does not contain the kinds. */
export const KIND_NAMES: readonly string[] = [${kinds.map(({ file }) => `"${file}"`).join(", ")}];
`;
}

const toKindName = (file: string) => `${toCamelCase(file)}Kind`;

const isKind = (value: unknown): boolean => typeof value === "object" && value !== null && "envelope" in value;

/**
 * Returns the registry of the clients that create, list and delete snapshots. A client exports the object `snapshotClients`,
 * which maps kinds of snapshots to functions. The registry imports each of these functions by name, because the bundles would
 * be larger if the registry imported the object.
 */
async function generateClientsRegistry(): Promise<string> {
  const servingModules = (await loadModules(CLIENTS)).filter(({ module }) => "snapshotClients" in module);
  const clients = servingModules.flatMap(({ file, module }) =>
    Object.entries(module.snapshotClients as object).map(([kind, client]) => {
      const [name] = Object.entries(module).find(([, value]) => value === client) ?? [];
      if (name === undefined)
        throw new Error(
          `${CLIENTS}/${file}.ts: "snapshotClients" maps the kind ${kind} to a function that the file does not export. Export the function.`,
        );
      return { kind, name, file };
    }),
  );
  return `${HEADER}import type { KindName } from "../snapshots/kinds/kinds.generated.ts";
import type { SnapshotService } from "../snapshots/ports.ts";
${clients.map(({ name, file }) => `import { ${name} } from "./${file}.ts";\n`).join("")}import type { Connection } from "./http/sdk-client.ts";

/** The function that creates the client for each kind of snapshot. */
export const CLIENTS: Record<KindName, (connection: Connection) => SnapshotService> = {
${sortByKind(clients, ({ kind }) => kind)
  .map(({ kind, name }) => `  "${kind}": ${name},\n`)
  .join("")}};
`;
}

/**
 * Returns the registry of the cloud calls. A client exports its calls as `calls`. No function loads this registry at run time.
 */
async function generateCallsRegistry(): Promise<string> {
  const clients = (await loadModules(CLIENTS)).filter(({ module }) => "calls" in module);
  return `${HEADER}${generateImports(clients, ({ file }) => `calls as ${toCamelCase(file)}`)}
/** Every call of a cloud service that the functions can make, with the IAM actions that the call requires. */
export const CALLS = {
${clients.map(({ file }) => `  ...${toCamelCase(file)},\n`).join("")}};

/** The name of a cloud call, such as \`evs.createSnapshot\`. The embedded cloud uses the same name for the operation. */
export type CloudCall = keyof typeof CALLS;
`;
}

/**
 * Returns the registry of the services and kinds of snapshots in the embedded cloud. The file of a service exports `service`. A
 * file that implements a kind exports `snapshotKind`.
 */
async function generateServicesRegistry(): Promise<string> {
  const modules = await loadModules(SERVICES);
  const services = modules.filter(({ module }) => "service" in module);
  const kinds = sortByKind(
    modules.filter(({ module }) => "snapshotKind" in module),
    nameOfKind,
  );
  return `${HEADER}import type { Service } from "../gateway/http.ts";
${generateImports(services, ({ file }) => `service as ${toCamelCase(file)}`)}${generateImports(kinds, ({ file }) => `snapshotKind as ${toKindName(file)}`)}
/** All services of the embedded cloud. */
export const SERVICES: readonly Service[] = [${services.map(({ file }) => toCamelCase(file)).join(", ")}];

/** All kinds of snapshots of the embedded cloud, by name. */
export const SNAPSHOT_KINDS = {
${kinds.map((one) => `  "${nameOfKind(one)}": ${toKindName(one.file)},\n`).join("")}};
`;
}

const nameOfKind = ({ module }: Module) => (module.snapshotKind as { name: string }).name;

/**
 * The kinds of snapshots that come first in the registries, in this order. All other kinds of snapshots follow, sorted by name.
 * Documents, list requests and records use the order of the registries.
 */
const KIND_ORDER = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];

/** Sorts items by their kind of snapshot. */
function sortByKind<Item>(items: readonly Item[], kindOf: (item: Item) => string): Item[] {
  const positionOf = (item: Item) =>
    KIND_ORDER.includes(kindOf(item)) ? KIND_ORDER.indexOf(kindOf(item)) : KIND_ORDER.length;
  return items.toSorted((a, b) => positionOf(a) - positionOf(b) || (kindOf(a) < kindOf(b) ? -1 : 1));
}

interface Module {
  /** The name of the file without its extension. */
  file: string;
  module: Record<string, unknown>;
}

/** Loads every hand-written module of a folder, sorted by file name. Does not load the modules of subfolders. */
async function loadModules(folder: string): Promise<Module[]> {
  // Skip each file that imports a registry. Such a file cannot be loaded before the registry exists. It contains no kind,
  // client or service, so the registries do not need it.
  const isListed = (name: string) =>
    /(?<!\.generated)\.ts$/.test(name) && !readFileSync(join(ROOT, folder, name), "utf8").includes(".generated.ts");
  const files = readdirSync(join(ROOT, folder)).filter(isListed).sort();
  return Promise.all(
    files.map(async (name) => ({
      file: name.slice(0, -".ts".length),
      module: await import(pathToFileURL(join(ROOT, folder, name)).href),
    })),
  );
}

const generateImports = (modules: readonly Module[], names: (module: Module) => string) =>
  modules.map((module) => `import { ${names(module)} } from "./${module.file}.ts";\n`).join("");

const toCamelCase = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

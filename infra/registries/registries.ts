/**
 * Generates the registries: the files that list what a folder contains, so a new kind of snapshot, client or service is found
 * without a line in another file. `npm run generate` writes them, they are committed, and a test compares them with the folders.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = join(import.meta.dirname, "..", "..");
const HEAD = "// Made from the files of this folder by `npm run generate`. Do not edit.\n";

const KINDS = "shared/snapshots/kinds";
const CLIENTS = "shared/huaweicloud";
const SERVICES = "infra/local/cloud/services";

/** Returns the path and the text of every registry. */
export async function generateRegistries(): Promise<Map<string, string>> {
  return new Map([
    [join(ROOT, KINDS, "kinds.generated.ts"), await kindsText()],
    [join(ROOT, CLIENTS, "clients.generated.ts"), await clientsText()],
    [join(ROOT, CLIENTS, "calls.generated.ts"), await callsText()],
    [join(ROOT, SERVICES, "services.generated.ts"), await servicesText()],
  ]);
}

/** The registry of kinds. The file `snapshot-group.ts` defines the kind `snapshot-group` and exports it as `snapshotGroupKind`. */
async function kindsText(): Promise<string> {
  const modules = (await modulesIn(KINDS)).filter(({ file, module }) => isKind(module[kindName(file)]));
  const kinds = inOrder(modules, ({ file }) => file);
  return `${HEAD}${imports(kinds, ({ file }) => kindName(file))}import type { Kind } from "./kind.ts";

/** All kinds of snapshots, by name. */
export const KINDS = {
${kinds.map(({ file }) => `  "${file}": ${kindName(file)},\n`).join("")}} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
`;
}

const kindName = (file: string) => `${camelCase(file)}Kind`;

const isKind = (value: unknown): boolean => typeof value === "object" && value !== null && "envelope" in value;

/**
 * The registry of clients. A client exports `snapshotClients` if it serves kinds of snapshots. The registry imports the functions
 * in it by their own names, because a bundle is smaller without the object.
 */
async function clientsText(): Promise<string> {
  const serving = (await modulesIn(CLIENTS)).filter(({ module }) => "snapshotClients" in module);
  const clients = serving.flatMap(({ file, module }) =>
    Object.entries(module.snapshotClients as object).map(([kind, client]) => {
      const [name] = Object.entries(module).find(([, value]) => value === client) ?? [];
      if (name === undefined) throw new Error(`${CLIENTS}/${file}.ts does not export the client of ${kind}.`);
      return { kind, name, file };
    }),
  );
  return `${HEAD}import type { KindName } from "../snapshots/kinds/kinds.generated.ts";
import type { SnapshotService } from "../snapshots/ports.ts";
${clients.map(({ name, file }) => `import { ${name} } from "./${file}.ts";\n`).join("")}import type { Connection } from "./http/sdk-client.ts";

/** The client of each kind of snapshot. */
export const CLIENTS: Record<KindName, (connection: Connection) => SnapshotService> = {
${inOrder(clients, ({ kind }) => kind)
  .map(({ kind, name }) => `  "${kind}": ${name},\n`)
  .join("")}};
`;
}

/** The registry of calls, which no function loads. A client exports `calls`. */
async function callsText(): Promise<string> {
  const clients = (await modulesIn(CLIENTS)).filter(({ module }) => "calls" in module);
  return `${HEAD}${imports(clients, ({ file }) => `calls as ${camelCase(file)}`)}
/** Every call of a cloud service that the functions can make, with the IAM actions that the call requires. */
export const CALLS = {
${clients.map(({ file }) => `  ...${camelCase(file)},\n`).join("")}};

/** The name of a call, such as \`evs.createSnapshot\`: the name of its operation in the embedded cloud. */
export type CloudCall = keyof typeof CALLS;
`;
}

/** The registry of the embedded cloud. A service exports \`service\`, and its files export a \`snapshotKind\` each. */
async function servicesText(): Promise<string> {
  const modules = await modulesIn(SERVICES);
  const services = modules.filter(({ module }) => "service" in module);
  const kinds = inOrder(
    modules.filter(({ module }) => "snapshotKind" in module),
    nameOfKind,
  );
  return `${HEAD}import type { Service } from "../gateway/http.ts";
${imports(services, ({ file }) => `service as ${camelCase(file)}`)}${imports(kinds, ({ file }) => `snapshotKind as ${kindName(file)}`)}
/** All services of the embedded cloud. */
export const SERVICES: readonly Service[] = [${services.map(({ file }) => camelCase(file)).join(", ")}];

/** All kinds of snapshots of the embedded cloud, by name. */
export const SNAPSHOT_KINDS = {
${kinds.map((one) => `  "${nameOfKind(one)}": ${kindName(one.file)},\n`).join("")}};
`;
}

const nameOfKind = ({ module }: Module) => (module.snapshotKind as { name: string }).name;

/** The order of these kinds in documents, list requests and records. Further kinds follow in the order of their names. */
const ORDER = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];

/** Sorts by the kind. */
function inOrder<Item>(items: readonly Item[], kindOf: (item: Item) => string): Item[] {
  const place = (item: Item) => (ORDER.includes(kindOf(item)) ? ORDER.indexOf(kindOf(item)) : ORDER.length);
  return items.toSorted((a, b) => place(a) - place(b) || (kindOf(a) < kindOf(b) ? -1 : 1));
}

interface Module {
  /** The name of the file without its extension. */
  file: string;
  module: Record<string, unknown>;
}

/** Loads every hand-written module of a folder, without its subfolders, in the order of their names. */
async function modulesIn(folder: string): Promise<Module[]> {
  // A file that imports a registry cannot be loaded before the registry exists, and no registry lists such a file.
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

const imports = (modules: readonly Module[], names: (module: Module) => string) =>
  modules.map((module) => `import { ${names(module)} } from "./${module.file}.ts";\n`).join("");

const camelCase = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

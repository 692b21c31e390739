// Builds every function as dist/<name>/index.js, a single CommonJS file that runs without node_modules, and as dist/<name>.zip.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build, transform } from "esbuild";
import { zipSync } from "fflate";
import { STUBBED_PACKAGES, sdkStubs } from "./shared/huaweicloud/sdk-stubs/index.mjs";

/**
 * Properties that only this project reads and writes. The bundles use short names for them, because every kilobyte is loaded at a
 * cold start. A name must not occur in a request, a response, a record or an object of Node.js, FunctionGraph, the SDK or middy. A
 * test compares the names with the sources.
 */
export const INTERNAL_PROPERTIES = [
  "acceptedStatus",
  "acceptsOtherOptions",
  "acquire",
  "addCreated",
  "addNotice",
  "advice",
  "ambiguous",
  "anchored",
  "announceDeletions",
  "attachedAt",
  "attempt",
  "beforeSend",
  "cased",
  "cloudMessage",
  "concurrency",
  "createTimeoutMs",
  "createdBy",
  "cutoff",
  "deadline",
  "decision",
  "defaultValue",
  "defaults",
  "deferredTo",
  "deploymentId",
  "elapsed",
  "endsAt",
  "envelope",
  "eventTime",
  "excludeTags",
  "excludedBy",
  "failedCount",
  "failures",
  "fanOut",
  "findAgain",
  "findExisting",
  "freshUntil",
  "functionName",
  "generatedAt",
  "groupId",
  "guard",
  "hasFailed",
  "hasMembers",
  "hasOtherTags",
  "hasSeenOthers",
  "httpStatus",
  "idOption",
  "idempotencyKey",
  "idsField",
  "inFlight",
  "increase",
  "isAbsent",
  "isDuplicate",
  "isExcluded",
  "isFromList",
  "isOwn",
  "isUnused",
  "keptCount",
  "limiter",
  "listError",
  "listAll",
  "listFor",
  "listNewest",
  "listOptions",
  "listResources",
  "literals",
  "logGroupId",
  "logStreamId",
  "makeRoom",
  "marker",
  "maxAgeHours",
  "maxBytes",
  "maxPerResource",
  "maxRate",
  "maxSnapshots",
  "maxTargets",
  "maxWait",
  "memberIds",
  "members",
  "memoryMb",
  "needsSecondList",
  "newestCreating",
  "newestFailed",
  "newestGood",
  "newestUnknown",
  "ofDeployment",
  "ofRun",
  "onSuccess",
  "onThrottled",
  "openRecord",
  "originalId",
  "perRetry",
  "perSuccess",
  "processes",
  "readCreatedId",
  "refresh",
  "refused",
  "release",
  "requestHash",
  "requestId",
  "requestSent",
  "resourceId",
  "resourceOf",
  "respondToError",
  "restoreCallOf",
  "restorePoints",
  "retryAfterMs",
  "retryBudget",
  "retryClass",
  "rowsOf",
  "secretCount",
  "serverIds",
  "share",
  "sizeGb",
  "slowdowns",
  "slowedAt",
  "snapshotId",
  "startedAt",
  "stateDetail",
  "stuckAfterMinutes",
  "timeline",
  "timeoutMs",
  "toResponse",
  "toText",
  "toWallTime",
  "tokens",
  "tooLarge",
  "topicState",
  "tryAcquire",
  "uncertainty",
  "uniqueNames",
  "unlocated",
  "variables",
  "verdict",
  "words",
];

const root = fileURLToPath(new URL(".", import.meta.url));

/**
 * An esbuild plugin for modules whose exports are long texts: the style sheet and the script of an HTML page. In the bundle, such
 * a module contains its texts minified and compressed, because a function must not load more than 96 KB. Decompressing them at load time takes
 * less than a millisecond.
 */
const compressedTexts = {
  name: "compressed-texts",
  setup({ onLoad }) {
    onLoad({ filter: /\/functions\/[\w-]+\/page\/(style|script)\.ts$/ }, async ({ path }) => {
      const loader = path.endsWith("style.ts") ? "css" : "js";
      const { code } = await transform(await readFile(path, "utf8"), { loader: "ts" });
      const texts = await import(`data:text/javascript,${encodeURIComponent(code)}`);
      const convert = async ([name, text]) => {
        if (typeof text !== "string") return `export const ${name} = ${JSON.stringify(text)};\n`;
        const { code: minified } = await transform(text, { loader, minify: true });
        const compressed = brotliCompressSync(minified).toString("base64");
        return `export const ${name} = brotliDecompressSync(Buffer.from("${compressed}", "base64")).toString();\n`;
      };
      const exports = await Promise.all(Object.entries(texts).map(convert));
      return { contents: `import { brotliDecompressSync } from "node:zlib";\n${exports.join("")}` };
    });
  },
};

/**
 * Builds the bundle of every function in memory. `inputs` maps each source file to its number of bytes in the bundle.
 *
 * @returns {Promise<{ name: string, contents: Uint8Array, inputs: Record<string, number> }[]>}
 */
export async function buildBundles() {
  const names = (await readdir(`${root}functions`, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `functions/${name}/handler.ts`, out: `${name}/index` })),
    outdir: "dist",
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    mangleProps: new RegExp(`^(${INTERNAL_PROPERTIES.join("|")})$`),
    legalComments: "none",
    // Convert import() to require(), because the first import() in a process takes 5 ms.
    supported: { "dynamic-import": false },
    metafile: true,
    write: false,
    alias: STUBBED_PACKAGES,
    plugins: [sdkStubs, compressedTexts],
  });
  return outputFiles.map(({ path, contents }) => {
    const name = names.find((folder) => path.endsWith(`/${folder}/index.js`));
    const inputs = Object.entries(metafile.outputs[`dist/${name}/index.js`].inputs);
    return {
      name,
      contents,
      inputs: Object.fromEntries(inputs.map(([file, { bytesInOutput }]) => [file, bytesInOutput])),
    };
  });
}

/** Replaces a file in one step, so a process that reads the file during a build gets either the old or the new content. */
async function replaceFile(path, contents) {
  await writeFile(`${path}.${process.pid}`, contents);
  await rename(`${path}.${process.pid}`, path);
}

/**
 * Writes all bundles and archives to `dist`, deletes the bundles and archives of functions that no longer exist, and prints the
 * sizes.
 */
async function writeBundles(quiet) {
  const built = await buildBundles();
  await mkdir(`${root}dist`, { recursive: true });
  for (const entry of await readdir(`${root}dist`, { withFileTypes: true })) {
    // Delete only folders and archives. Any other file is package.json, or a temporary file of a build that is still running.
    const isBuilt = entry.isDirectory() || entry.name.endsWith(".zip");
    if (isBuilt && !built.some(({ name }) => name === entry.name.replace(/\.zip$/, ""))) {
      await rm(`${root}dist/${entry.name}`, { recursive: true });
    }
  }
  // The bundles are CommonJS modules. Without this file, Node.js would load them as ES modules, because the repository's
  // package.json has the type "module".
  await replaceFile(`${root}dist/package.json`, JSON.stringify({ type: "commonjs" }));
  // A fixed modification time makes archives of unchanged sources identical, so `terraform plan` shows only real changes. The
  // time is local, because a ZIP archive stores local time.
  const mtime = new Date(2020, 0, 1, 12);
  for (const { name, contents, inputs } of built) {
    const archive = zipSync({ "index.js": [contents, { mtime, level: 9 }] });
    await mkdir(`${root}dist/${name}`, { recursive: true });
    await replaceFile(`${root}dist/${name}/index.js`, contents);
    await replaceFile(`${root}dist/${name}.zip`, archive);
    if (quiet) continue;
    const kb = (bytes) => `${(bytes.length / 1024).toFixed(1).padStart(6)} KB`;
    console.log(`${name.padEnd(26)}${kb(contents)}  ${Object.keys(inputs).length} modules  zip${kb(archive)}`);
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await writeBundles(process.argv.includes("--quiet"));
}

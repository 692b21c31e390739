// Builds every function: dist/<name>/index.js (CommonJS, one file, runs without node_modules) and dist/<name>.zip.
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { zipSync } from "fflate";
import { STUBBED_PACKAGES, sdkStubs } from "./shared/huaweicloud/sdk-stubs/index.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));

/**
 * The bundle of every function, in memory: its name, its contents, and how many bytes of it come from which file.
 *
 * @returns {Promise<{ name: string, contents: Uint8Array, inputs: Record<string, number> }[]>}
 */
export async function bundles() {
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
    legalComments: "none",
    // What is imported when it is first used is required then: Node's own loader of modules costs 5 ms to begin with.
    supported: { "dynamic-import": false },
    metafile: true,
    write: false,
    alias: STUBBED_PACKAGES,
    plugins: [sdkStubs],
  });
  return outputFiles.map(({ path, contents }) => {
    const name = names.find((one) => path.endsWith(`/${one}/index.js`));
    const inputs = Object.entries(metafile.outputs[`dist/${name}/index.js`].inputs);
    return { name, contents, inputs: Object.fromEntries(inputs.map(([file, of]) => [file, of.bytesInOutput])) };
  });
}

/** In one step: whoever reads a bundle while it is built anew gets the old one or the new one. */
async function replace(path, contents) {
  await writeFile(`${path}.${process.pid}`, contents);
  await rename(`${path}.${process.pid}`, path);
}

async function write(quiet) {
  const built = await bundles();
  await mkdir(`${root}dist`, { recursive: true });
  for (const entry of await readdir(`${root}dist`, { withFileTypes: true })) {
    // Keep other files: the temporary files of `replace`, and the package.json below.
    const isBuilt = entry.isDirectory() || entry.name.endsWith(".zip");
    if (isBuilt && !built.some(({ name }) => name === entry.name.replace(/\.zip$/, ""))) {
      await rm(`${root}dist/${entry.name}`, { recursive: true });
    }
  }
  // The repository's package.json declares ES modules, but the bundles are CommonJS.
  await replace(`${root}dist/package.json`, JSON.stringify({ type: "commonjs" }));
  // One fixed time in every archive: the same sources give the same bytes, so a deployment sees what really changed. An
  // archive holds local time, so the time is noon in the time zone of the build.
  const mtime = new Date(2020, 0, 1, 12);
  for (const { name, contents, inputs } of built) {
    const archive = zipSync({ "index.js": [contents, { mtime, level: 9 }] });
    await mkdir(`${root}dist/${name}`, { recursive: true });
    await replace(`${root}dist/${name}/index.js`, contents);
    await replace(`${root}dist/${name}.zip`, archive);
    if (quiet) continue;
    const kb = (bytes) => `${(bytes.length / 1024).toFixed(1).padStart(6)} KB`;
    console.log(`${name.padEnd(26)}${kb(contents)}  ${Object.keys(inputs).length} modules  zip${kb(archive)}`);
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await write(process.argv.includes("--quiet"));
}

// Builds every function: dist/<name>/index.js (CommonJS, one file, runs without node_modules) and dist/<name>.zip.
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { zipSync } from "fflate";
import { SUBSTITUTES, substitutes } from "./shared/huaweicloud/substitutes/index.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const quiet = process.argv.includes("--quiet");

const names = (await readdir(`${root}functions`, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** In one step: whoever reads a bundle while it is built anew gets the old one or the new one. */
async function replace(path, contents) {
  await writeFile(`${path}.${process.pid}`, contents);
  await rename(`${path}.${process.pid}`, path);
}

await mkdir(`${root}dist`, { recursive: true });
for (const entry of await readdir(`${root}dist`)) {
  if (!names.includes(entry.replace(/\.zip$/, ""))) await rm(`${root}dist/${entry}`, { recursive: true });
}

const { metafile, outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: names.map((name) => ({ in: `functions/${name}/handler.ts`, out: `${name}/index` })),
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  // What is imported when it is first used is required then: Node's own loader of modules costs 5 ms to begin with.
  supported: { "dynamic-import": false },
  metafile: true,
  write: false,
  alias: SUBSTITUTES,
  plugins: [substitutes],
});

// One fixed time in every archive: the same sources give the same bytes, so a deployment sees what really changed.
const mtime = new Date("2020-01-01T00:00:00Z");
for (const { path, contents } of outputFiles) {
  const name = names.find((one) => path.endsWith(`/${one}/index.js`));
  await mkdir(`${root}dist/${name}`, { recursive: true });
  await replace(path, contents);
  await replace(`${root}dist/${name}.zip`, zipSync({ "index.js": [contents, { mtime, level: 9 }] }));
  if (!quiet) {
    const { inputs } = metafile.outputs[`dist/${name}/index.js`];
    console.log(
      `${name.padEnd(26)} ${(contents.length / 1024).toFixed(1).padStart(6)} KB  ${Object.keys(inputs).length} modules`,
    );
  }
}

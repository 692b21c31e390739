// Builds the client of the gate: one file, CommonJS, for Node.js 18 and later, runs without node_modules.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { STUBBED_PACKAGES, sdkStubs } from "../../shared/huaweicloud/sdk-stubs/index.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

const { metafile } = await build({
  entryPoints: [here("gate.ts")],
  outfile: process.argv[2] ?? here("dist/snapshot-gate.cjs"),
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node18",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  alias: STUBBED_PACKAGES,
  plugins: [sdkStubs],
});

if (process.env.npm_config_loglevel !== "silent") {
  const [[name, { bytes }]] = Object.entries(metafile.outputs);
  console.log(`${name}  ${(bytes / 1024).toFixed(1)} KB`);
}

// Builds the gate client as one CommonJS file that runs on Node.js 18 and later without node_modules.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { SUBSTITUTES, substitutes } from "../../shared/huaweicloud/sdk-stubs/index.mjs";

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
  alias: SUBSTITUTES,
  plugins: [substitutes],
});

if (process.env.npm_config_loglevel !== "silent") {
  const [[name, { bytes }]] = Object.entries(metafile.outputs);
  console.log(`${name}  ${(bytes / 1024).toFixed(1)} KB`);
}

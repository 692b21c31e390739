// Builds the gate client and the report client, each as one CommonJS file that runs on Node.js 18 and later without node_modules.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { STUBBED_PACKAGES, sdkStubs } from "../../shared/huaweicloud/sdk-stubs/index.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

const { metafile } = await build({
  entryPoints: { "snapshot-gate": here("gate.ts"), "snapshot-report": here("report.ts") },
  outdir: process.argv[2] ?? here("dist"),
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node18",
  minify: true,
  // Properties that only this project reads and writes get short names.
  mangleProps: /^(decision|isTransient|requestSent|retryAfterMs|retryFailed|timeoutMs|timeoutSeconds|tooLarge)$/,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  alias: STUBBED_PACKAGES,
  plugins: [sdkStubs],
});

if (process.env.npm_config_loglevel !== "silent") {
  for (const [name, { bytes }] of Object.entries(metafile.outputs)) {
    console.log(`${name}  ${(bytes / 1024).toFixed(1)} KB`);
  }
}

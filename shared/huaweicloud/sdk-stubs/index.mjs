// What the SDK core imports and never reaches on our path, and the two functions that its signer does use, in small
// (cloud-apis.md 5.4, DESIGN 3): 9 KB in place of 534 KB. Used by the build and by vitest.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Package -> file that stands in for it. */
export const SUBSTITUTES = {
  axios: here("./unreachable.cjs"),
  "https-proxy-agent": here("./unreachable.cjs"),
  uuid: here("./unreachable.cjs"),
  log4js: here("./unreachable.cjs"),
  lodash: here("./lodash.cjs"),
  moment: here("./moment.cjs"),
};

/**
 * Modules of the SDK itself that are only reached by what is never done here: its own HTTP layer, the lookup of project
 * ids and federated tokens at IAM, the signature that regions with derived keys would take, and answers that are files.
 */
const UNREACHED = /(^|\/)(DefaultHttpClient|ClientBuilder|iam\.service|authcache|DerivedAKSKSigner|SdkStreamResponse)$/;

/** Modules that the SDK reaches, and which stand for much that it does not. */
const REPLACED = [
  [/^crypto$/, here("./crypto.cjs")],
  [/^url$/, here("./url.cjs")],
  [/(^|\/)logger$/, here("./logger.cjs")],
  [/(^|\/)ExceptionUtil$/, here("./exceptions.cjs")],
];

const required = (file) => `require(${JSON.stringify(here(file))})`;

/** What the signer has in large, and what stands in for it. Each is in its text once. */
const REPLACEMENTS = [
  [
    /a\.key\.toLocaleLowerCase\(\)\.localeCompare\(b\.key\.toLocaleLowerCase\(\)\)/g,
    `${required("./names.cjs")}(a.key.toLowerCase(), b.key.toLowerCase())`,
  ],
  [/(?<=static urlEncode\(str\) \{)[\s\S]*?(?=\n {4}\}\n\})/g, `return ${required("./encode.cjs")}(str);`],
  [/static hexTable\(\) \{[\s\S]*?(?=static sign\()/g, ""],
  [/AKSKSigner\.(noEscape|hex) = \[[^\]]*\];/g, ""],
];

async function signer(path) {
  let text = await readFile(path, "utf8");
  for (const [pattern, replacement] of REPLACEMENTS) {
    if (!pattern.test(text)) throw new Error(`Expected the SDK's signer to have ${pattern}; see ${path}.`);
    text = text.replace(pattern, () => replacement);
  }
  return text;
}

/** middy's answers to AWS as streams: what they take is 2 ms of every load, and never reached. */
const STREAMS = /^node:stream(\/promises|\/web)?$/;
const ofMiddy = ({ importer }) => /[/\\]@middy[/\\]/.test(importer);

const ofTheSdk = ({ path, importer }) => path.startsWith("@huaweicloud/") || /[/\\]@huaweicloud[/\\]/.test(importer);

/** For esbuild. */
export const substitutes = {
  name: "sdk-substitutes",
  setup(build) {
    for (const [filter, path] of [[UNREACHED, here("./unreachable.cjs")], ...REPLACED]) {
      build.onResolve({ filter }, (module) => (ofTheSdk(module) ? { path } : undefined));
    }
    build.onResolve({ filter: STREAMS }, (module) =>
      ofMiddy(module) ? { path: here("./unreachable.cjs") } : undefined,
    );
    build.onLoad({ filter: /[/\\]@huaweicloud[/\\].*[/\\]AKSKSigner\.js$/ }, async ({ path }) => ({
      contents: await signer(path),
      loader: "js",
    }));
  },
};

/**
 * For vitest, whose aliases do not reach what a CommonJS module requires: each module of the SDK as the build bundles it.
 */
export const substitutedSdk = {
  name: "substituted-sdk",
  enforce: "pre",
  async load(id) {
    if (!/[/\\]node_modules[/\\]@huaweicloud[/\\].*\.js$/.test(id)) return undefined;
    const { build } = await import("esbuild");
    const { outputFiles } = await build({
      entryPoints: [id],
      bundle: true,
      platform: "node",
      format: "cjs",
      write: false,
      alias: SUBSTITUTES,
      plugins: [substitutes],
    });
    return outputFiles[0].text;
  },
};

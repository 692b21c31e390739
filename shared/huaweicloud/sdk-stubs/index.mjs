// Replaces modules that Huawei Cloud's SDK imports but does not need for the requests of this project. Without these modules, the
// SDK takes 9 KB of a bundle instead of 534 KB. The build and vitest use the stubs. SOURCES.md#sdk-flaws lists the flaws of the
// replaced modules.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const pathOf = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Maps package names to the paths of the stubs that replace the packages, for the option `alias` of esbuild. */
export const STUBBED_PACKAGES = {
  axios: pathOf("./unreachable.cjs"),
  "https-proxy-agent": pathOf("./unreachable.cjs"),
  uuid: pathOf("./unreachable.cjs"),
  log4js: pathOf("./unreachable.cjs"),
  lodash: pathOf("./lodash.cjs"),
  moment: pathOf("./moment.cjs"),
};

/**
 * Matches the SDK modules that this project never uses: the SDK's own HTTP client, requests to IAM for project ids and
 * federated tokens, signatures with derived keys, and file responses.
 */
const UNREACHABLE_MODULES =
  /(^|\/)(DefaultHttpClient|ClientBuilder|iam\.service|authcache|DerivedAKSKSigner|SdkStreamResponse)$/;

/** Patterns for modules of which the SDK uses only a part. Each pattern has the path of the stub that replaces the module. */
const STUBBED_MODULES = [
  [/^crypto$/, pathOf("./crypto.cjs")],
  [/^url$/, pathOf("./url.cjs")],
  [/(^|\/)logger$/, pathOf("./logger.cjs")],
  [/(^|\/)ExceptionUtil$/, pathOf("./exceptions.cjs")],
];

const requireCall = (file) => `require(${JSON.stringify(pathOf(file))})`;

/**
 * Patterns for parts of the signer's source code, each with the shorter or faster code that replaces the part. If a pattern does
 * not match, the build fails.
 */
const SIGNER_REPLACEMENTS = [
  [
    /a\.key\.toLocaleLowerCase\(\)\.localeCompare\(b\.key\.toLocaleLowerCase\(\)\)/g,
    `${requireCall("./names.cjs")}(a.key.toLowerCase(), b.key.toLowerCase())`,
  ],
  [/(?<=static urlEncode\(str\) \{)[\s\S]*?(?=\n {4}\}\n\})/g, `return ${requireCall("./encode.cjs")}(str);`],
  [/static hexTable\(\) \{[\s\S]*?(?=static sign\()/g, ""],
  [/AKSKSigner\.(noEscape|hex) = \[[^\]]*\];/g, ""],
];

async function readSigner(path) {
  let text = await readFile(path, "utf8");
  for (const [pattern, replacement] of SIGNER_REPLACEMENTS) {
    if (!pattern.test(text)) throw new Error(`Expected the SDK's signer to contain ${pattern}, but ${path} does not.`);
    text = text.replace(pattern, () => replacement);
  }
  return text;
}

/**
 * Matches the code of middy that streams a response to AWS. This project streams no responses. Loading the modules for streams
 * takes 2 ms.
 */
const STREAMED_RESPONSE =
  /plugin\.streamifyResponse\s*\?[\s\S]*?(?=async \(event, context\) => \{\s*const request = middyRequest\(event, context\);\s*plugin\.requestStart\?\.\(request\);\s*const response)/;

async function readMiddy(path) {
  const text = await readFile(path, "utf8");
  if (!STREAMED_RESPONSE.test(text))
    throw new Error(`Expected middy to contain the code for streams, but ${path} does not.`);
  return text.replace(STREAMED_RESPONSE, "");
}

const isFromSdk = ({ path, importer }) => path.startsWith("@huaweicloud/") || /[/\\]@huaweicloud[/\\]/.test(importer);

/** An esbuild plugin that replaces modules of the SDK by stubs. */
export const sdkStubs = {
  name: "sdk-stubs",
  setup(build) {
    for (const [filter, path] of [[UNREACHABLE_MODULES, pathOf("./unreachable.cjs")], ...STUBBED_MODULES]) {
      build.onResolve({ filter }, (module) => (isFromSdk(module) ? { path } : undefined));
    }
    build.onLoad({ filter: /[/\\]@middy[/\\]core[/\\]index\.js$/ }, async ({ path }) => ({
      contents: await readMiddy(path),
      loader: "js",
    }));
    build.onLoad({ filter: /[/\\]@huaweicloud[/\\].*[/\\]AKSKSigner\.js$/ }, async ({ path }) => ({
      contents: await readSigner(path),
      loader: "js",
    }));
  },
};

/**
 * A vitest plugin that loads the SDK's modules with the same replacements as in the bundles. The option `alias` of vitest is not
 * enough, because it does not affect `require` calls in CommonJS modules.
 */
export const stubbedSdk = {
  name: "stubbed-sdk",
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
      alias: STUBBED_PACKAGES,
      plugins: [sdkStubs],
    });
    return outputFiles[0].text;
  },
};

// Replaces long texts in a bundle by compressed ones, because a function must not load more than 96 KB.
import { readFile } from "node:fs/promises";
import { brotliCompressSync } from "node:zlib";
import { transform } from "esbuild";

/** The modules whose exports are long texts: the style sheet and the script of an HTML page. */
const TEXTS = /\/functions\/[\w-]+\/page\/(style|script)\.ts$/;

/**
 * An esbuild plugin. A module with texts exports the same texts in the bundle, but decompresses them when the bundle is loaded,
 * which takes less than a millisecond.
 */
export const compressedTexts = {
  name: "compressed-texts",
  setup(build) {
    build.onLoad({ filter: TEXTS }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "ts" });
      const texts = await import(`data:text/javascript,${encodeURIComponent(code)}`);
      const exports = Object.entries(texts).map(([name, text]) => {
        const compressed = brotliCompressSync(text).toString("base64");
        return `export const ${name} = brotliDecompressSync(Buffer.from("${compressed}", "base64")).toString();\n`;
      });
      return { contents: `import { brotliDecompressSync } from "node:zlib";\n${exports.join("")}`, loader: "js" };
    });
  },
};

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Writes bundles into a new folder. `sources` maps function names to CommonJS source code. */
export function writeBundles(sources: Record<string, string>): { dist: string; remove(): void } {
  const dist = mkdtempSync(join(tmpdir(), "host-test-"));
  for (const [name, source] of Object.entries(sources)) {
    mkdirSync(join(dist, name));
    writeFileSync(join(dist, name, "index.js"), source);
  }
  return { dist, remove: () => rmSync(dist, { recursive: true }) };
}

/** Writes the registries. `npm run generate` runs this file. */
import { writeFile } from "node:fs/promises";
import { generateRegistries } from "./registries.ts";

for (const [path, text] of await generateRegistries()) await writeFile(path, text);

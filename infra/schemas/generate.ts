/** Writes the generated schemas. `npm run generate` runs this file. */
import { writeFile } from "node:fs/promises";
import { generateSchemas } from "./schemas.ts";

generateSchemas().then(async (files) => {
  for (const [path, text] of files) await writeFile(path, text);
});

/** Writes infra/openapi.json. `npm run generate` runs this file. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openApiText } from "./document.ts";

writeFile(join(import.meta.dirname, "..", "openapi.json"), openApiText());

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openApiText } from "./document.ts";

writeFile(join(__dirname, "..", "openapi.json"), openApiText());

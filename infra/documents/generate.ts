/** `npm run generate`: writes the generated tables of README.md. */
import { writeFile } from "node:fs/promises";
import { README, readmeText } from "./readme.ts";

await writeFile(README, await readmeText());

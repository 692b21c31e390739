/** `npm run generate`: writes the generated table and the pictures of README.md. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawPictures, PICTURE_FOLDER } from "./pictures.ts";
import { README, readmeText } from "./readme.ts";

writeFileSync(README, await readmeText());
mkdirSync(PICTURE_FOLDER, { recursive: true });
for (const [name, content] of Object.entries(drawPictures())) writeFileSync(join(PICTURE_FOLDER, name), content);

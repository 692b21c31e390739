import { writeFile } from "node:fs/promises";
import { generateValidators } from "./validators.ts";

generateValidators().then(async (files) => {
  for (const [path, text] of files) await writeFile(path, text);
});

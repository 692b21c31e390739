/** Writes the generated schemas and infra/policy.schema.json. `npm run generate` runs this file. */
import { writeFile } from "node:fs/promises";
import { POLICY_DOCUMENT_PATH, policyDocumentText } from "./policy-document.ts";
import { generateSchemas } from "./schemas.ts";

generateSchemas().then(async (files) => {
  for (const [path, text] of files) await writeFile(path, text);
  await writeFile(POLICY_DOCUMENT_PATH, policyDocumentText());
});

/** Writes functions.json, which locals.tf reads. `npm run generate` runs it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { callsOf, loadDefinitions } from "../definitions.ts";

/** Returns the text of functions.json: for each function its trigger, timeout in seconds, memory in MB and cloud calls. */
export async function functionsText(): Promise<string> {
  const definitions = await loadDefinitions();
  const functions = definitions.map((definition) => {
    const { name, trigger, timeoutSeconds: timeout, memoryMb: memory } = definition;
    const method = trigger.type === "http" ? trigger.method : null;
    return [name, { trigger: trigger.type, method, timeout, memory, calls: callsOf(definition, definitions) }];
  });
  return `${JSON.stringify(Object.fromEntries(functions), undefined, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  await writeFile(join(import.meta.dirname, "functions.json"), await functionsText());
}

/** Writes the JSON files that locals.tf reads. `npm run generate` runs this file. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CALLS } from "../../shared/huaweicloud/calls.generated.ts";
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { callsOf, loadDefinitions } from "../definitions.ts";

/** Returns the path and the text of every generated file. */
export async function generateTerraform(): Promise<Map<string, string>> {
  const definitions = await loadDefinitions();
  const functions = definitions.map((definition) => {
    const { name, trigger, timeoutSeconds: timeout, memoryMb: memory, maxInstances, operation } = definition;
    const method = trigger.type === "http" ? trigger.method : null;
    const timer = trigger.type === "timer" || (trigger.type === "http" && "hasTimer" in trigger);
    // The query parameters of the API. An API whose requests have a body has none.
    const parameters = Object.keys(operation?.parameters ?? {});
    // The argument `max_instance_num` of the Terraform provider is a string.
    const max_instances = maxInstances === undefined ? null : String(maxInstances);
    const calls = callsOf(definition, definitions);
    return [name, { trigger: trigger.type, method, parameters, timer, timeout, memory, max_instances, calls }];
  });
  const kinds = Object.values<Kind>(KINDS).map(({ name, target }) => [
    name,
    [target.idsField, ...Object.keys(target.defaults)],
  ]);
  const files = { functions: Object.fromEntries(functions), kinds: Object.fromEntries(kinds), actions: CALLS };
  return new Map(
    Object.entries(files).map(([name, content]) => [
      join(import.meta.dirname, `${name}.json`),
      `${JSON.stringify(content, undefined, 2)}\n`,
    ]),
  );
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, text] of await generateTerraform()) await writeFile(path, text);
}

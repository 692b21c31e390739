/** Creates the files that schemathesis reads: a copy of infra/openapi.json, and the configuration of a run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
/** The app code that the local gateway requires during the test. */
export const APP_CODE = "sample-app-code";

/** The fields that contain ids, and the type of the resource that they name. */
const ID_FIELDS: Readonly<Record<string, ResourceType>> = {
  volume_id: "disk",
  volume_ids: "disk",
  server_id: "server",
  server_ids: "server",
  cluster_id: "cluster",
  cluster_ids: "cluster",
};

export type ResourceType = "disk" | "server" | "cluster";

interface MediaType {
  example?: unknown;
}

interface Operation {
  operationId: string;
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, unknown>;
}

export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>;
}

export const readDocument = (): OpenApiDocument =>
  JSON.parse(readFileSync(join(ROOT, "infra", "openapi.json"), "utf8"));

/** Returns the operations of a document, such as `POST /create-snapshot`. */
export const operationNames = ({ paths }: OpenApiDocument): string[] =>
  Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));

/**
 * Removes the response `default` from each operation. It describes the responses of the gateway itself, with any status. With it,
 * schemathesis would accept every status of a function.
 */
export function withoutDefaultResponses(document: OpenApiDocument): OpenApiDocument {
  const copy = structuredClone(document);
  for (const item of Object.values(copy.paths)) {
    for (const operation of Object.values(item)) delete operation.responses.default;
  }
  return copy;
}

/** Returns the ids of the resources in the sample requests of a document. The resources must exist, so the requests succeed. */
export function exampleIds(document: OpenApiDocument): Record<ResourceType, string[]> {
  const found: Record<ResourceType, Set<string>> = { disk: new Set(), server: new Set(), cluster: new Set() };
  const visit = (value: unknown, field = ""): void => {
    const type = ID_FIELDS[field];
    if (typeof value === "string" && type !== undefined) found[type].add(value);
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) visit(inner, Array.isArray(value) ? field : key);
  };
  for (const item of Object.values(document.paths)) {
    for (const { requestBody } of Object.values(item)) {
      for (const { example } of Object.values(requestBody?.content ?? {})) visit(example);
    }
  }
  return { disk: [...found.disk], server: [...found.server], cluster: [...found.cluster] };
}

export interface RunSettings {
  url: string;
  seed: number;
  /** The number of random cases of each operation. */
  examples: number;
  /** The ids of resources that exist. Half of the ids in valid requests are such ids. */
  ids: Readonly<Record<ResourceType, readonly string[]>>;
}

/** Returns the configuration of schemathesis in the format TOML. */
export function configuration({ url, seed, examples, ids }: RunSettings): string {
  const id = (path: string, type: ResourceType) => `"body.${path}" = { dictionary = "${type}", probability = 0.5 }`;
  return `base-url = ${JSON.stringify(url)}
hooks = ${JSON.stringify(join(import.meta.dirname, "hooks.py"))}
seed = ${seed}
workers = 1
continue-on-failure = true
request-timeout = 70
# A slow machine is no failure.
suppress-health-check = ["too_slow"]

[cache]
enabled = false

[generation]
database = "none"
max-examples = ${examples}
no-shrink = true
# The configuration below sets the app code. Otherwise, most requests would have a wrong one.
with-security-parameters = false

[auth.openapi.APP]
api_key = "${APP_CODE}"

# The functions validate a request before they look for the resource, so every invalid request gets 400, or 405 for its method.
[checks.negative_data_rejection]
expected-statuses = [400, 405]

# A valid request can name a policy that the caller may not use (403), a resource that does not exist (404), the idempotency key of
# another request (409) or a disk with the maximum number of snapshots (413). pre-deploy can respond that a snapshot failed (502).
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 403, 404, 409, 413, 502]

# The document has no links between operations, so there are no sequences of requests to generate.
[phases.stateful]
enabled = false

# Cases must depend only on the seed, not on the time or the content of earlier responses.
[phases.fuzzing.error-feedback]
enabled = false
${["examples", "coverage", "fuzzing"].map((phase) => `[phases.${phase}.extra-data-sources]\nresponses = false`).join("\n")}

${Object.entries(ids)
  .map(([type, values]) => `[dictionaries.${type}]\nvalues = ${JSON.stringify(values)}`)
  .join("\n")}

[dictionaries.seconds]
values = [0, 1]

[parameters]
# pre-deploy waits in real time, so only few requests ask it to wait up to 50 seconds.
"body.wait_seconds" = { dictionary = "seconds", probability = 0.95 }
${id("snapshot.volume_id", "disk")}
${id("snapshot.cluster_id", "cluster")}
${id("snapshot_group.server_id", "server")}
${id("snapshot_group.volume_ids[*]", "disk")}
${id("targets[*].volume_ids[*]", "disk")}
${id("targets[*].server_ids[*]", "server")}
${id("targets[*].cluster_ids[*]", "cluster")}
`;
}

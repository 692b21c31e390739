/** Builds `components.schemas` of the OpenAPI document: the request bodies with explanations, and the response bodies. */
import { REASONS } from "../../shared/core/errors.ts";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import type { Schema } from "../../shared/validation/validate.ts";
import { objectSchema, ref, stringSchema } from "./builders.ts";
import { COVERAGE } from "./coverage-schema.ts";
import { OPERATIONS } from "./operations.ts";
import { addStandardKeywords, makeRoomRule } from "./standard-keywords.ts";

const SNAPSHOT_DETAILS = objectSchema(
  {
    id: stringSchema(),
    status: stringSchema("The status of the snapshot, such as `creating`."),
    name: { type: ["string", "null"] },
    description: { type: ["string", "null"] },
    created_at: stringSchema("The creation time in UTC, without a time zone: `YYYY-MM-DDTHH:MM:SS.XXXXXX`."),
    updated_at: {
      type: ["string", "null"],
      description: "The time of the last change, in the format of `created_at`.",
    },
    metadata: { type: "object" },
    volume_id: stringSchema(),
    size: { type: "integer", description: "The size of the disk in GiB." },
    "os-extended-snapshot-attributes:project_id": stringSchema("A reserved field of EVS."),
    "os-extended-snapshot-attributes:progress": stringSchema("A reserved field of EVS."),
  },
  ["id"],
);

const DEPLOYMENT = objectSchema(
  {
    status: { enum: ["ready", "pending", "failed"] },
    deployment_id: stringSchema(),
    snapshots: {
      type: "array",
      description: "One entry for each selected resource.",
      items: objectSchema(
        {
          kind: { enum: Object.keys(KINDS) },
          resource_id: stringSchema("The id of the disk, server or cluster."),
          name: stringSchema(),
          snapshot_id: stringSchema(),
          outcome: {
            enum: ["accepted", "existing", "unverified", "available", "failed", "deferred"],
            description:
              "`accepted`: this call created the snapshot. `existing`: an earlier call created the snapshot. `available`: the snapshot is usable. `unverified`: the snapshot exists, but whether it is usable is unknown. `failed`: `error` contains the reason. `deferred`: the snapshot does not exist yet, and the next call creates it.",
          },
          detail: stringSchema("An additional explanation of the outcome."),
          error: objectSchema(
            {
              reason: { enum: Object.keys(REASONS) },
              code: stringSchema("The error code that the cloud service sent."),
              message: stringSchema(),
              status: { type: "integer", description: "The HTTP status in the response of the cloud service." },
              request_id: stringSchema("The request id in the response of the cloud service, for a support ticket."),
            },
            ["reason", "message"],
          ),
        },
        ["kind", "resource_id", "outcome"],
      ),
    },
  },
  ["status", "deployment_id", "snapshots"],
);

/** Descriptions and defaults that the document adds to fields of request bodies, by schema name and field name. */
const EXPLANATIONS: Record<string, Record<string, JsonObject>> = {
  CreateSnapshot: {
    force: {
      description:
        "Also create the snapshot if the disk is attached. If this field is absent, EVS uses its default `false`, and rejects a disk in the status `in-use`.",
    },
  },
  PreDeploy: {
    deployment_id: {
      description: "Identifies the deployment. Repeated calls with the same id create no second snapshot.",
    },
    targets: {
      description:
        "Selects the resources to snapshot, by ids, by tags, or by ids and tags. If the tags match no resource, the response is a 404.",
    },
    wait_seconds: { description: "How many seconds to wait for the snapshots before responding.", default: 0 },
    retry_failed: { description: "Create another snapshot for each snapshot that failed.", default: false },
    max_age_minutes: {
      description:
        "The maximum age of the deployment's snapshots in minutes. If a snapshot is older, or if its age is unknown, the response is a 409 that asks for a new `deployment_id`.",
      default: 1440,
    },
    policy: {
      description:
        "The policy by which `prune-snapshots` deletes the snapshots later. If callers may not use this policy, the response is a 403 that names the policies that they may use.",
      default: "pre-deploy",
    },
    make_room: {
      description:
        "If a disk already has 7 legacy snapshots, delete some of them by the rules in `retention` before creating another one. Requires `retention` with at least one `keep_` rule above 0, and the default `policy`.",
      default: false,
    },
    retention: {
      description:
        "The rules for keeping snapshots, used only with `make_room`. Has the same fields as the `retention` of a policy.",
    },
  },
  ...Object.fromEntries(
    Object.values<Kind>(KINDS).map(({ name, target }) => [
      name,
      Object.fromEntries(Object.entries(target.defaults).map(([field, value]) => [field, { default: value }])),
    ]),
  ),
};

/** Adds the explanations to the fields of a schema, at every depth. */
function explain(schema: unknown, name: string): JsonObject {
  const { properties, ...others } = schema as JsonObject;
  if (!isObject(properties)) return others;
  const fields = Object.entries(properties).map(([field, inner]) => [
    field,
    { ...explain(inner, name), ...EXPLANATIONS[name]?.[field] },
  ]);
  return { ...others, properties: Object.fromEntries(fields) };
}

/**
 * Moves each schema that a discriminator selects to `named`, and replaces the schema with a reference. OpenAPI allows a
 * discriminator only if the schemas have names in `components.schemas`. The name of a schema is the value that selects it, such
 * as `standard-snapshot`.
 */
function nameVariants(schema: unknown, named: JsonObject): unknown {
  if (Array.isArray(schema)) return schema.map((inner) => nameVariants(inner, named));
  if (!isObject(schema)) return schema;
  const { oneOf, discriminator, ...others } = schema as Schema;
  const inner = Object.fromEntries(Object.entries(others).map(([key, value]) => [key, nameVariants(value, named)]));
  if (oneOf === undefined || discriminator === undefined) return inner;
  const references = oneOf.map((variant) => {
    const name = String(variant.properties?.[discriminator.propertyName]?.const);
    named[name] = explain(variant, name);
    return ref("schemas", name);
  });
  return { ...inner, discriminator, oneOf: references };
}

/** Returns `components.schemas` of the OpenAPI document. */
export function componentSchemas(): JsonObject {
  const bodies: JsonObject = {};
  for (const operation of OPERATIONS) {
    if (operation.method !== "post") continue;
    const body = explain(nameVariants(operation.body, bodies), operation.schema);
    const hasMakeRoom = isObject(body.properties) && "make_room" in body.properties;
    bodies[operation.schema] = hasMakeRoom ? { ...body, ...makeRoomRule(body.properties as JsonObject) } : body;
  }
  return {
    ...(addStandardKeywords(bodies) as JsonObject),
    SnapshotDetails: SNAPSHOT_DETAILS,
    Deployment: DEPLOYMENT,
    Coverage: COVERAGE,
    GatewayError: objectSchema({ error_code: stringSchema(), error_msg: stringSchema(), request_id: stringSchema() }, [
      "error_code",
      "error_msg",
    ]),
  };
}

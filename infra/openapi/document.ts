/**
 * The HTTP functions in OpenAPI 3.1. What a body must look like is the very data that the functions validate with; what an
 * error's status is comes from the catalogue of reasons. `npm run generate` writes it to openapi.json, beside this folder.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { current as clusterBody } from "../../functions/create-cluster-snapshot/schema.generated.js";
import { classic as classicBody, current as snapshotBody } from "../../functions/create-snapshot/schema.generated.js";
import { current as groupBody } from "../../functions/create-snapshot-group/schema.generated.js";
import { current as standardBody } from "../../functions/create-standard-snapshot/schema.generated.js";
import { deployment as deploymentBody } from "../../functions/pre-deploy/schema.generated.js";
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import { clusterSnapshot } from "../../shared/snapshots/kinds/cluster-snapshot.ts";
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.ts";
import { snapshot } from "../../shared/snapshots/kinds/snapshot.ts";
import { snapshotGroup } from "../../shared/snapshots/kinds/snapshot-group.ts";
import { standardSnapshot } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import type { Schema } from "../../shared/validation/validate.ts";

/** One HTTP function. */
interface Operation {
  /** Its folder, its path, and its `operationId`. */
  name: string;
  summary: string;
  description: string;
  /** The name of its body among the schemas, and the body itself. */
  schema: string;
  body: Schema;
  example: JsonObject;
  /** Where the function is told to validate otherwise: by which variable's value, with which body. */
  otherwise?: { extension: string; body: Schema };
  parameters?: JsonObject[];
  /** What it answers beside the errors that all have. */
  answers: Record<string, Answer>;
}

interface Answer {
  description: string;
  headers: string[];
  schema: JsonObject;
  example: JsonObject;
}

const ref = (kind: "schemas" | "headers" | "responses" | "parameters", name: string) => ({
  $ref: `#/components/${kind}/${name}`,
});
const text = (description?: string): JsonObject => ({ type: "string", ...(description ? { description } : {}) });
const object = (properties: JsonObject, required: string[]): JsonObject => ({ type: "object", required, properties });

const VOLUME = "5aa119a8-d25b-45a7-8d1b-88e127885635";
const SERVER = "d7c1f0a2-3b4e-4c5d-8e6f-7a8b9c0d1e2f";
const CLUSTER = "44b277eb-39be-4921-be31-3d61b43651d7";
const SNAPSHOT = "ffa9bc5e-1172-4021-acaf-cdcd78a9584d";
const REQUEST_ID = "1167bf8c-87b0-43ab-8f5f-26b16c64f252";

/** A create call of an API: its own body, its own answer. */
const create = (
  kind: Kind,
  operation: Omit<Operation, "name" | "parameters" | "answers">,
  answer: Pick<Answer, "schema" | "example">,
): Operation => ({
  ...operation,
  name: `create-${kind.name}`,
  parameters: [ref("parameters", "IdempotencyKey")],
  answers: {
    [kind.acceptedStatus]: {
      description: "The cloud took it, now or when the same request came before. The body is the API's own.",
      headers: ["x-request-id", "x-snapshot-outcome"],
      ...answer,
    },
  },
});

/** Seeds 000 and 003: the job, and what it makes. */
const started = (id: string): Pick<Answer, "schema" | "example"> => ({
  schema: object(
    {
      job_id: text(
        "The task of the create call; left out where an earlier delivery of the same request made the snapshot.",
      ),
      [id]: text(),
    },
    [id],
  ),
  example: { job_id: "ee62a0c1e79c4e11be5adc17a49f69ef", [id]: "bb02c803-55ac-4e84-9c80-60d352199d7d" },
});

/** The answers of the gate: how far all are, and each of them. */
const progress = (status: "ready" | "pending" | "failed", outcome: string, more: JsonObject = {}) => ({
  schema: {
    allOf: [ref("schemas", "Deployment"), { type: "object", properties: { status: { const: status } } }],
  },
  example: {
    status,
    deployment_id: "web-1.4.2",
    snapshots: [
      {
        kind: snapshot.name,
        resource_id: VOLUME,
        name: "d-web-1-4-2-5b2f9c1e",
        snapshot_id: SNAPSHOT,
        outcome,
        ...more,
      },
    ],
  },
});

const OPERATIONS: Operation[] = [
  create(
    snapshot,
    {
      summary: "A snapshot of a disk (EVS v2, legacy)",
      description:
        "As `POST /v2/{project_id}/cloudsnapshots`, once. Where the function has `EVS_LIMITS=classic`, for older clouds, the body is that of `x-evs-limits-classic` beside the schema: 255 bytes for name and description, which may be null.",
      schema: "CreateSnapshot",
      body: snapshotBody,
      otherwise: { extension: "x-evs-limits-classic", body: classicBody },
      // Seed 001.
      example: {
        snapshot: {
          name: "snap-001",
          description: "Daily backup",
          volume_id: VOLUME,
          force: false,
          metadata: { key_string: "value_string" },
        },
      },
    },
    {
      schema: object({ snapshot: ref("schemas", "SnapshotDetails") }, ["snapshot"]),
      example: {
        snapshot: {
          status: "creating",
          description: "Daily backup",
          created_at: "2013-02-25T03:56:53.081642",
          metadata: {},
          volume_id: VOLUME,
          size: 1,
          id: SNAPSHOT,
          name: "snap-001",
          updated_at: "2013-02-25T03:56:53.081642",
        },
      },
    },
  ),
  create(
    standardSnapshot,
    {
      summary: "A standard snapshot of a disk (EVS v5)",
      description:
        "As `POST /v5/{project_id}/snapshots`, once. `incremental` goes out as it is given; where it is not, the cloud's default stands.",
      schema: "CreateStandardSnapshot",
      body: standardBody,
      // Seed 000.
      example: {
        snapshot: {
          volume_id: "2c194dde-7de5-4529-a141-49f48181f411",
          name: "test_name",
          description: "test description",
          enterprise_project_id: "94f1ea84-1428-49b6-9920-8a9b8a29e4ca",
        },
      },
    },
    started("snapshot_id"),
  ),
  create(
    snapshotGroup,
    {
      summary: "A snapshot of all disks of a server at one moment (EVS v5)",
      description:
        "As `POST /v5/{project_id}/snapshot-groups`, once: of the disks of `server_id`, of some of them (`volume_ids`), or of disks without a server.",
      schema: "CreateSnapshotGroup",
      body: groupBody,
      example: { snapshot_group: { server_id: SERVER, name: "before-update", incremental: true } },
    },
    started("snapshot_group_id"),
  ),
  create(
    clusterSnapshot,
    {
      summary: "A snapshot of a cluster (DWS)",
      description: `As \`POST /v1.0/{project_id}/snapshots\`, once. The name is unique in the project. ${clusterSnapshot.caution}`,
      schema: "CreateClusterSnapshot",
      body: clusterBody,
      // Seed 004.
      example: { snapshot: { name: "snapshot-3", cluster_id: CLUSTER, description: "Snapshot-3 description" } },
    },
    {
      schema: object({ snapshot: object({ id: text() }, ["id"]) }, ["snapshot"]),
      example: { snapshot: { id: "2a4d0f86-67cd-408a-8b66-017454fb7793" } },
    },
  ),
  {
    name: "pre-deploy",
    summary: "Whether a deployment may begin: every snapshot of it, and how far they are",
    description:
      'Starts a snapshot of every target and says how far they are. The same POST again takes none twice and says how far they are then; `deployment_id` is what makes it the same. Only a 200 with `"status":"ready"` lets a deployment begin. `make_room` goes with no `policy` but `pre-deploy`, the default: a gate deletes nothing that another policy made.',
    schema: "PreDeploy",
    body: deploymentBody,
    example: {
      deployment_id: "web-1.4.2",
      targets: [
        { kind: snapshot.name, volume_ids: [VOLUME] },
        { kind: snapshotGroup.name, tags: { role: "database" } },
        { kind: clusterSnapshot.name, cluster_ids: [CLUSTER] },
      ],
      wait_seconds: 50,
    },
    answers: {
      200: {
        description: "Every snapshot is available.",
        headers: ["x-request-id"],
        ...progress("ready", "available"),
      },
      202: {
        description: "Some are under way, none failed: repeat the call after `Retry-After` seconds.",
        headers: ["x-request-id", "Retry-After"],
        ...progress("pending", "accepted"),
      },
      502: {
        description: "At least one snapshot failed (`status`), or the cloud did (`error`).",
        headers: ["x-request-id"],
        ...progress("failed", "failed", {
          error: {
            reason: "SnapshotFailed",
            message: `Expected the snapshot ${SNAPSHOT} to become available; it ended in the status "error".`,
          },
        }),
      },
    },
  },
];

/** HTTP status -> the reasons that are answered with it. */
const BY_STATUS = new Map<number, Reason[]>();
for (const [reason, { httpStatus }] of Object.entries(REASONS)) {
  BY_STATUS.set(httpStatus, [...(BY_STATUS.get(httpStatus) ?? []), reason as Reason]);
}

/** The API's own envelope, with one of these reasons. */
const errorOf = (reasons: Reason[]): JsonObject =>
  object(
    {
      error: object(
        {
          code: text("The cloud's own code where it gave one, such as `EVS.5404`; else the reason."),
          message: text(
            "What was expected and what came, with the cloud's own words where it gave any, and what to do.",
          ),
          reason: { enum: reasons, description: "What to go by." },
          request_id: text("Of the invocation, as in its records."),
        },
        ["code", "message", "reason", "request_id"],
      ),
    },
    ["error"],
  );

const json = (schema: JsonObject, example?: JsonObject) => ({
  "application/json": { schema, ...(example === undefined ? {} : { example }) },
});
const headers = (names: string[]) => Object.fromEntries(names.map((name) => [name, ref("headers", name)]));

/** What an error says, for the catalogue's own words. */
const errorExample = (reason: Reason): JsonObject => ({
  error: { code: reason, message: REASONS[reason].advice, reason, request_id: REQUEST_ID },
});

const errorResponses = (): JsonObject => ({
  ...Object.fromEntries(
    [...BY_STATUS].map(([status, reasons]) => [
      `Error${status}`,
      {
        description: reasons.map((reason) => `\`${reason}\`: ${REASONS[reason].advice}`).join("\n\n"),
        // Where the cloud said how long to wait.
        headers: headers(["x-request-id", "Retry-After"]),
        content: json(errorOf(reasons), errorExample(reasons[0] as Reason)),
      },
    ]),
  ),
  Error405: {
    description: "Another method than POST.",
    headers: headers(["x-request-id", "allow"]),
    content: json(errorOf(["InvalidRequest"]), {
      error: {
        code: "InvalidRequest",
        message: 'Expected the method POST, got "GET".',
        reason: "InvalidRequest",
        request_id: REQUEST_ID,
      },
    }),
  },
  Gateway: {
    description:
      "The gateway's own answer: nobody may call it so (401, 403), too many calls (429), the function gave no answer in time (504). It has no `reason` and no `status`, and says nothing about a snapshot: repeat the same call.",
    content: json(ref("schemas", "GatewayError"), {
      error_code: "APIG.0301",
      error_msg: "Incorrect app authentication information",
      request_id: "11cdcdcf33949dc6d722640a13091c77",
    }),
  },
});

function responsesOf({ answers }: Operation): JsonObject {
  const statuses = new Set([...Object.keys(answers), ...BY_STATUS.keys(), 405].map(Number));
  return {
    ...Object.fromEntries(
      [...statuses].map((status) => {
        const answer = answers[status];
        if (answer === undefined) return [status, ref("responses", `Error${status}`)];
        const { description, headers: names, schema, example } = answer;
        const reasons = BY_STATUS.get(status);
        const either = reasons === undefined ? schema : { oneOf: [schema, errorOf(reasons)] };
        return [status, { description, headers: headers(names), content: json(either, example) }];
      }),
    ),
    // Every other status, and any of these where the gateway did not come as far as the function.
    default: ref("responses", "Gateway"),
  };
}

const pathOf = (operation: Operation) => ({
  post: {
    operationId: operation.name,
    summary: operation.summary,
    description: operation.description,
    ...(operation.parameters === undefined ? {} : { parameters: operation.parameters }),
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: ref("schemas", operation.schema),
          example: operation.example,
          ...(operation.otherwise === undefined
            ? {}
            : { [operation.otherwise.extension]: { schema: operation.otherwise.body } }),
        },
      },
    },
    responses: responsesOf(operation),
  },
});

/** What the create call of seed 001 answers: its table 6. */
const SNAPSHOT_DETAILS = object(
  {
    id: text(),
    status: text("Such as `creating`."),
    name: { type: ["string", "null"] },
    description: { type: ["string", "null"] },
    created_at: text("UTC, without a zone: `YYYY-MM-DDTHH:MM:SS.XXXXXX`."),
    updated_at: { type: ["string", "null"], description: "As `created_at`." },
    metadata: { type: "object" },
    volume_id: text(),
    size: { type: "integer", description: "GiB." },
    "os-extended-snapshot-attributes:project_id": text("Reserved."),
    "os-extended-snapshot-attributes:progress": text("Reserved."),
  },
  ["id"],
);

const DEPLOYMENT = object(
  {
    status: { enum: ["ready", "pending", "failed"] },
    deployment_id: text(),
    snapshots: {
      type: "array",
      description: "One entry a target.",
      items: object(
        {
          kind: { enum: Object.keys(KINDS) },
          resource_id: text("The disk, server or cluster."),
          name: text(),
          snapshot_id: text(),
          outcome: {
            enum: ["accepted", "existing", "unverified", "available", "failed", "deferred"],
            description:
              "`accepted`, `existing`: under way. `unverified`: there, but what it is worth is not known. `deferred`: not begun yet, the next call does it.",
          },
          detail: text("What to know of it."),
          error: object(
            {
              reason: { enum: Object.keys(REASONS) },
              code: text("The cloud's own."),
              message: text(),
              status: { type: "integer", description: "The cloud's own." },
              request_id: text("The cloud's own: what a ticket needs."),
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

/** What the functions need not know of a field: what it is for, and what it is where it is not given. */
const EXPLAINED: Record<string, Record<string, JsonObject>> = {
  CreateSnapshot: {
    force: {
      description:
        "Take it of a disk that is attached, too. Not given, it is not sent, and the cloud's default, false, stands: a disk that is `in-use` is refused.",
    },
  },
  PreDeploy: {
    deployment_id: { description: "What makes it this deployment: the same one never takes a snapshot twice." },
    targets: { description: "What is to be protected: by ids, by tags, or both. Tags that select nothing are a 404." },
    wait_seconds: { description: "How long to wait for the snapshots before the answer.", default: 0 },
    retry_failed: { description: "Take again what ended in an error.", default: false },
    max_age_minutes: {
      description:
        "Where the deployment's snapshots are older, or their age is not known, it is another one: a 409 that asks for a new id.",
      default: 1440,
    },
    policy: { description: "What the snapshots are marked with, for `prune-snapshots`.", default: "pre-deploy" },
    make_room: {
      description:
        "Prune a legacy disk that stands at its 7 snapshots before another one is taken, by `retention`, which it needs beside it.",
      default: false,
    },
    retention: { description: "What is kept where room is made: as the retention of a policy." },
  },
  ...Object.fromEntries(
    Object.values<Kind>(KINDS).map(({ name: kind, target: policy }) => [
      kind,
      Object.fromEntries(Object.entries(policy.defaults).map(([name, value]) => [name, { default: value }])),
    ]),
  ),
};

/** The schema of this name, with what is explained of its fields. */
function explained(schema: unknown, name: string): JsonObject {
  const { properties, ...others } = schema as JsonObject;
  if (!isObject(properties)) return others;
  const fields = Object.entries(properties).map(([field, one]) => [
    field,
    { ...explained(one, name), ...EXPLAINED[name]?.[field] },
  ]);
  return { ...others, properties: Object.fromEntries(fields) };
}

/** Name -> the bodies. */
const BODIES: JsonObject = {};
for (const { schema, body } of OPERATIONS) BODIES[schema] = explained(withNames(body, BODIES), schema);

/**
 * The same schema, with a name for each of those that a discriminator chooses from: the value that chooses it, as OpenAPI
 * wants it.
 */
function withNames(schema: unknown, names: JsonObject): unknown {
  if (Array.isArray(schema)) return schema.map((one) => withNames(one, names));
  if (!isObject(schema)) return schema;
  const { oneOf, discriminator, ...others } = schema as Schema;
  const inner = Object.fromEntries(Object.entries(others).map(([key, value]) => [key, withNames(value, names)]));
  if (oneOf === undefined || discriminator === undefined) return inner;
  const chosen = oneOf.map((one) => {
    const name = String(one.properties?.[discriminator.propertyName]?.const);
    names[name] = explained(one, name);
    return ref("schemas", name);
  });
  return { ...inner, discriminator, oneOf: chosen };
}

const INFO = `Over the API gateway, each function by a POST of JSON. Each snapshot is made once: what came before is found again.

The schemas of the bodies are what the functions validate with. Beside JSON Schema they have: \`x-expected\` (what a pattern means), \`x-max-bytes\` (bytes of UTF-8), \`x-required-any-of\` (fields of which one must be there), \`x-unique-ids\` (each id once, in whichever case).

What the gateway answers by itself has another body: \`GatewayError\`.`;

/** The whole document. */
export function openApiDocument(): JsonObject {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8"));
  return {
    openapi: "3.1.0",
    info: {
      title: "snapshot-functions",
      version,
      description: INFO,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [
      {
        url: "https://{domain}",
        description: "The API gateway.",
        variables: {
          domain: { default: "snapshots.example.com", description: "The domain of the gateway's group `snapshots`." },
        },
      },
    ],
    // One of them, as the gateway was deployed: `gateway.authentication`.
    security: [{ APP: [] }, { IAM: [] }],
    paths: Object.fromEntries(OPERATIONS.map((operation) => [`/${operation.name}`, pathOf(operation)])),
    components: {
      securitySchemes: {
        APP: {
          type: "apiKey",
          in: "header",
          name: "X-Apig-AppCode",
          description: "The code of an application of the gateway. Its key and secret may sign instead, as with IAM.",
        },
        IAM: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description:
            "A signature by an access key of the account: `SDK-HMAC-SHA256 Access=..., SignedHeaders=..., Signature=...`, with `X-Sdk-Date`, and with `X-Security-Token` where the key is a temporary one. The SDKs of Huawei Cloud make it.",
        },
      },
      parameters: {
        IdempotencyKey: {
          name: "Idempotency-Key",
          in: "header",
          description:
            "The same key is the same snapshot: sent again it answers `existing`; with another body it is a 409. Without it each request is one of its own.",
          schema: { type: "string", minLength: 1, maxLength: 255 },
          example: "web-1.4.2-before-update",
        },
      },
      headers: {
        "x-request-id": {
          description: "Of the invocation, as in its records.",
          required: true,
          schema: { type: "string" },
        },
        "x-snapshot-outcome": {
          description: "`accepted`: this request made it. `existing`: the same one did before.",
          required: true,
          schema: { enum: ["accepted", "existing"] },
        },
        "Retry-After": { description: "Seconds to wait before the same call again.", schema: { type: "integer" } },
        allow: { description: "The method that is allowed.", required: true, schema: { const: "POST" } },
      },
      responses: errorResponses(),
      schemas: {
        ...BODIES,
        SnapshotDetails: SNAPSHOT_DETAILS,
        Deployment: DEPLOYMENT,
        GatewayError: object({ error_code: text(), error_msg: text(), request_id: text() }, [
          "error_code",
          "error_msg",
        ]),
      },
    },
  };
}

/** The document as the file has it. */
export const openApiText = (): string => `${JSON.stringify(openApiDocument(), undefined, 2)}\n`;

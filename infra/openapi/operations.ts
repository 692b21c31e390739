/** Lists the HTTP functions: their texts, bodies, examples and successful responses. */
import { current as clusterBody } from "../../functions/create-cluster-snapshot/schema.generated.js";
import { classic as classicBody, current as snapshotBody } from "../../functions/create-snapshot/schema.generated.js";
import { current as groupBody } from "../../functions/create-snapshot-group/schema.generated.js";
import { current as standardBody } from "../../functions/create-standard-snapshot/schema.generated.js";
import { deployment as deploymentBody } from "../../functions/pre-deploy/schema.generated.js";
import type { JsonObject } from "../../shared/core/json.ts";
import { clusterSnapshot } from "../../shared/snapshots/kinds/cluster-snapshot.ts";
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import { snapshot } from "../../shared/snapshots/kinds/snapshot.ts";
import { snapshotGroup } from "../../shared/snapshots/kinds/snapshot-group.ts";
import { standardSnapshot } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import type { Schema } from "../../shared/validation/validate.ts";
import { objectSchema, ref, stringSchema } from "./builders.ts";

/** Describes one HTTP function. */
export interface Operation {
  /** The function's folder, which is also its path and its `operationId`. */
  name: string;
  summary: string;
  description: string;
  /** The name of the body in `components.schemas`. */
  schema: string;
  body: Schema;
  example: JsonObject;
  /** The body that a variable of the function can select instead, and the extension field that describes it. */
  alternative?: { extension: string; body: Schema };
  parameters?: JsonObject[];
  /** The responses that only this function has, by HTTP status. */
  responses: Record<string, ResponseSpec>;
}

export interface ResponseSpec {
  description: string;
  headers: string[];
  schema: JsonObject;
  example: JsonObject;
}

const VOLUME = "5aa119a8-d25b-45a7-8d1b-88e127885635";
const SERVER = "d7c1f0a2-3b4e-4c5d-8e6f-7a8b9c0d1e2f";
const CLUSTER = "44b277eb-39be-4921-be31-3d61b43651d7";
const SNAPSHOT = "ffa9bc5e-1172-4021-acaf-cdcd78a9584d";

/** Returns the operation of a create function, which has the request body and the response body of a cloud API. */
const createOperation = (
  kind: Kind,
  operation: Omit<Operation, "name" | "parameters" | "responses">,
  response: Pick<ResponseSpec, "schema" | "example">,
): Operation => ({
  ...operation,
  name: `create-${kind.name}`,
  parameters: [ref("parameters", "IdempotencyKey")],
  responses: {
    [kind.acceptedStatus]: {
      description:
        "The cloud accepted this request, or an earlier request with the same key. The body is that of the cloud's API.",
      headers: ["x-request-id", "x-snapshot-outcome"],
      ...response,
    },
  },
});

/** Returns the response of EVS v5: the job, and the id of what the job creates. */
const jobResponse = (idField: string): Pick<ResponseSpec, "schema" | "example"> => ({
  schema: objectSchema(
    {
      job_id: stringSchema(
        "The job of the create call. Missing if an earlier delivery of the same request created the snapshot.",
      ),
      [idField]: stringSchema(),
    },
    [idField],
  ),
  example: { job_id: "ee62a0c1e79c4e11be5adc17a49f69ef", [idField]: "bb02c803-55ac-4e84-9c80-60d352199d7d" },
});

/** Returns the response of pre-deploy with this `status` and an example snapshot with this outcome. */
const progressResponse = (status: "ready" | "pending" | "failed", outcome: string, more: JsonObject = {}) => ({
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

// The examples of the create functions are those of the cloud's API reference.
export const OPERATIONS: Operation[] = [
  createOperation(
    snapshot,
    {
      summary: "Creates a snapshot of a disk (EVS v2, legacy)",
      description:
        "Accepts the body of `POST /v2/{project_id}/cloudsnapshots` and creates the snapshot once. If the function has `EVS_LIMITS=classic`, for older clouds, it accepts the body in `x-evs-limits-classic`: name and description may have 255 bytes and may be null.",
      schema: "CreateSnapshot",
      body: snapshotBody,
      alternative: { extension: "x-evs-limits-classic", body: classicBody },
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
      schema: objectSchema({ snapshot: ref("schemas", "SnapshotDetails") }, ["snapshot"]),
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
  createOperation(
    standardSnapshot,
    {
      summary: "Creates a standard snapshot of a disk (EVS v5)",
      description:
        "Accepts the body of `POST /v5/{project_id}/snapshots` and creates the snapshot once. The function sends `incremental` only if the request has it; otherwise the cloud's default applies.",
      schema: "CreateStandardSnapshot",
      body: standardBody,
      example: {
        snapshot: {
          volume_id: "2c194dde-7de5-4529-a141-49f48181f411",
          name: "test_name",
          description: "test description",
          enterprise_project_id: "94f1ea84-1428-49b6-9920-8a9b8a29e4ca",
        },
      },
    },
    jobResponse("snapshot_id"),
  ),
  createOperation(
    snapshotGroup,
    {
      summary: "Creates a snapshot of all disks of a server at one moment (EVS v5)",
      description:
        "Accepts the body of `POST /v5/{project_id}/snapshot-groups` and creates the group once. The group has the disks of `server_id`, some of these disks (`volume_ids`), or disks without a server.",
      schema: "CreateSnapshotGroup",
      body: groupBody,
      example: { snapshot_group: { server_id: SERVER, name: "before-update", incremental: true } },
    },
    jobResponse("snapshot_group_id"),
  ),
  createOperation(
    clusterSnapshot,
    {
      summary: "Creates a snapshot of a cluster (DWS)",
      description: `Accepts the body of \`POST /v1.0/{project_id}/snapshots\` and creates the snapshot once. The name is unique in the project. ${clusterSnapshot.caution}`,
      schema: "CreateClusterSnapshot",
      body: clusterBody,
      example: { snapshot: { name: "snapshot-3", cluster_id: CLUSTER, description: "Snapshot-3 description" } },
    },
    {
      schema: objectSchema({ snapshot: objectSchema({ id: stringSchema() }, ["id"]) }, ["snapshot"]),
      example: { snapshot: { id: "2a4d0f86-67cd-408a-8b66-017454fb7793" } },
    },
  ),
  {
    name: "pre-deploy",
    summary: "Creates the snapshots of a deployment and returns whether the deployment can begin",
    description:
      'Starts a snapshot of every target and returns the state of each. Repeating the POST with the same `deployment_id` creates no second snapshot and returns the current states. Only a 200 with `"status":"ready"` means that the deployment can begin. `make_room` is allowed only with the default policy, `pre-deploy`, because a deployment must not delete snapshots of another policy.',
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
    responses: {
      200: {
        description: "Every snapshot is available.",
        headers: ["x-request-id"],
        ...progressResponse("ready", "available"),
      },
      202: {
        description:
          "Some snapshots are still being created, and none failed. Repeat the call after `Retry-After` seconds.",
        headers: ["x-request-id", "Retry-After"],
        ...progressResponse("pending", "accepted"),
      },
      502: {
        description:
          "At least one snapshot failed (the body has `status`), or the cloud failed (the body has `error`).",
        headers: ["x-request-id"],
        ...progressResponse("failed", "failed", {
          error: {
            reason: "SnapshotFailed",
            message: `Expected the snapshot ${SNAPSHOT} to become available; it ended in the status "error".`,
          },
        }),
      },
    },
  },
];

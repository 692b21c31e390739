import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "pre-deploy";

export const definition = {
  name,
  summary: "Creates the snapshots for a deployment, and says whether the deployment may begin.",
  trigger: { type: "http", method: "POST" },
  timeoutSeconds: 60,
  memoryMb: 128,
  // The function calls evs.deleteSnapshot only for a request with `make_room`.
  calls: ["every-kind.resources", "every-kind.list", "every-kind.create", "evs.deleteSnapshot"],
  operation: {
    title: "Create the snapshots for a deployment, and report whether the deployment may begin",
    description:
      'Starts a snapshot of every target and responds with the progress of each snapshot. A repeated request with the same `deployment_id` creates no second snapshot and responds with the current progress. Begin the deployment only after a response 200 with `"status":"ready"`. `make_room` requires the default policy `pre-deploy`, because pre-deploy never deletes a snapshot of another policy. `policy` is `pre-deploy` or one of the policies that the operator of these functions allows.',
    schema: "PreDeploy",
    example: {
      deployment_id: "web-1.4.2",
      targets: [
        { kind: "snapshot", volume_ids: ["5aa119a8-d25b-45a7-8d1b-88e127885635"] },
        { kind: "snapshot-group", tags: { role: "database" } },
        { kind: "cluster-snapshot", cluster_ids: ["44b277eb-39be-4921-be31-3d61b43651d7"] },
      ],
      wait_seconds: 50,
    },
    responses: {
      200: {
        description: "Every snapshot is available.",
        example: {
          status: "ready",
          deployment_id: "web-1.4.2",
          snapshots: [
            {
              kind: "snapshot",
              resource_id: "5aa119a8-d25b-45a7-8d1b-88e127885635",
              name: "d-web-1-4-2-5b2f9c1e",
              snapshot_id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d",
              outcome: "available",
            },
          ],
        },
      },
      202: {
        description: "Some snapshots are in progress and none failed. Repeat the request after `Retry-After` seconds.",
        example: {
          status: "pending",
          deployment_id: "web-1.4.2",
          snapshots: [
            {
              kind: "snapshot",
              resource_id: "5aa119a8-d25b-45a7-8d1b-88e127885635",
              name: "d-web-1-4-2-5b2f9c1e",
              snapshot_id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d",
              outcome: "accepted",
            },
          ],
        },
      },
      403: {
        description:
          "`AccessDenied`: callers of pre-deploy may not use the `policy` of the request. The message names the policies that they may use.",
        reasons: ["AccessDenied"],
        example: {
          error: {
            code: "AccessDenied",
            message:
              'policy: expected pre-deploy, got "nightly". Omit it, or ask the operator to add it to PRE_DEPLOY_POLICIES.',
            reason: "AccessDenied",
            request_id: "1167bf8c-87b0-43ab-8f5f-26b16c64f252",
          },
        },
      },
      502: {
        description:
          "At least one snapshot failed (the body has `status`), or a cloud service failed (the body has `error`).",
        example: {
          status: "failed",
          deployment_id: "web-1.4.2",
          snapshots: [
            {
              kind: "snapshot",
              resource_id: "5aa119a8-d25b-45a7-8d1b-88e127885635",
              name: "d-web-1-4-2-5b2f9c1e",
              snapshot_id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d",
              outcome: "failed",
              error: {
                reason: "SnapshotFailed",
                message:
                  'Expected the snapshot ffa9bc5e-1172-4021-acaf-cdcd78a9584d to become available; its status is "error".',
              },
            },
          ],
        },
      },
    },
  },
} as const satisfies FunctionDefinition;

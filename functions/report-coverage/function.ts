import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "report-coverage";

export const definition = {
  name,
  summary: "Reports whether each disk and cluster has a recent, available snapshot, or why not.",
  trigger: { type: "http", method: "GET", hasTimer: true },
  // The timer needs the time for a large project. Over HTTP, the function responds within 55 s.
  timeoutSeconds: 300,
  // 10,000 disks with 21 snapshots each need more memory than 128 MB.
  memoryMb: 256,
  calls: [
    "evs.listVolumes",
    "evs.listSnapshots",
    "evs.listStandardSnapshots",
    "evs.listSnapshotGroups",
    "dws.listClusters",
    "dws.listSnapshots",
  ],
  operation: {
    title: "Report which disks and clusters have a good and recent snapshot",
    description:
      "Lists all disks and clusters of the project with their snapshots, whoever created them. Changes nothing. The header `Accept` selects JSON, HTML or CSV, unless the parameter `format` does. If a list could not be read, `complete` is false, `faults` names the list, and the state of every resource that the list could change is `unknown`. `counts` ignores `states` and `page`. In CSV, each fault is a line of the type `fault`, and each orphaned snapshot a line of the type `orphan`.",
    parameters: {
      max_age_hours: "The maximum age of the newest good snapshot in hours. Default: 26.",
      kinds: "The types of resources. Default: all.",
      tags: "Reports only resources that have all these tags: `key=value`, or `key=*` for any value. A key must not occur with two values.",
      exclude_tags: "Gives resources that have one of these tags the state `excluded`.",
      states: "Lists only resources in these states. Default: all.",
      format:
        "The format of the response. Default: `html` or `csv` if the header `Accept` asks for it, otherwise `json`.",
      page: "The page to return, from 1. A page beyond the last one is empty.",
    },
    responses: {
      200: {
        description: "The report. `x-page` and `x-pages` tell whether there are more pages.",
        headers: [
          "x-page",
          "x-pages",
          "cache-control",
          "x-content-type-options",
          "content-security-policy",
          "content-disposition",
        ],
        schema: { $ref: "#/components/schemas/Coverage" },
        example: {
          generated_at: "2026-11-28T02:00:00.000Z",
          max_age_hours: 26,
          complete: true,
          faults: [],
          counts: {
            protected: 1,
            stale: 0,
            failing: 0,
            unprotected: 0,
            unknown: 0,
            excluded: 0,
            orphaned: 0,
          },
          resources: [
            {
              type: "volume",
              id: "5aa119a8-d25b-45a7-8d1b-88e127885635",
              name: "data",
              state: "protected",
              reason: "The newest good snapshot is 2.1 hours old.",
              size_gb: 10,
              server_ids: ["d7c1f0a2-3b4e-4c5d-8e6f-7a8b9c0d1e2f"],
              tags: { backup: "daily" },
              good: 1,
              failed: 0,
              policies: ["nightly"],
              newest: {
                kind: "snapshot",
                id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d",
                name: "nightly-20261127T235400Z-5b2f9c1e",
                created_at: "2026-11-27T23:54:00.000Z",
                age_hours: 2.1,
                policy: "nightly",
                created_by: "the policy nightly",
              },
              restore_points: [
                {
                  kind: "snapshot",
                  id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d",
                  created_at: "2026-11-27T23:54:00.000Z",
                  restore:
                    'POST /v2/0123456789abcdef0123456789abcdef/cloudsnapshots/ffa9bc5e-1172-4021-acaf-cdcd78a9584d/rollback {"rollback":{"volume_id":"5aa119a8-d25b-45a7-8d1b-88e127885635"}}',
                  requires:
                    "The call overwrites the disk. First detach the disk, and stop the server of a system disk.",
                },
              ],
            },
          ],
          orphans: [],
          page: 1,
          pages: 1,
        },
        alternatives: {
          "text/html": "<!doctype html><title>Snapshot coverage</title>",
          "text/csv":
            "type,id,name,state,reason\r\nvolume,5aa119a8-d25b-45a7-8d1b-88e127885635,data,protected,The newest good snapshot is 2.1 hours old.\r\n",
        },
      },
    },
  },
} as const satisfies FunctionDefinition;

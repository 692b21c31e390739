/** The requests to DWS: clusters and their snapshots. */
import { filters, refusedKeys, type Step, stepsOf } from "./step.ts";

const dws = stepsOf("dws");
const create = (name: string) => ({ body: { snapshot: { name, cluster_id: "$cluster", description: "by hand" } } });
const ofCluster = (query: Record<string, unknown>) => ({ cluster_id: "$cluster", ...query });

export const DWS_STEPS: Step[] = [
  ...filters("dws", "ListClusters", [
    [{}, 1],
    [{ enterprise_project_id: "all_granted_eps" }, 1],
  ]),
  dws("ListClusterDetails", { cluster_id: "$cluster" }, { status: 200 }),
  dws("CreateSnapshot", create("first"), { status: 200, keep: { first: "snapshot.id" } }),
  dws("ListClusterDetails", { cluster_id: "$cluster" }, { status: 200 }),
  dws("ListSnapshotDetails", { snapshot_id: "$first" }, { status: 200 }),
  dws("CreateSnapshot", create("busy"), { status: 403, code: "DWS.7023" }),
  dws("ListSnapshotDetails", { snapshot_id: "$first" }, { status: 200, advanceMs: 6000 }),
  dws("CreateSnapshot", create("second"), { status: 200 }),
  dws("ListSnapshots", {}, { status: 200, rows: 2, advanceMs: 6000 }),
  ...filters("dws", "ListClusterSnapshots", [
    [ofCluster({}), 2],
    [ofCluster({ limit: 1 }), 1],
    [ofCluster({ limit: 1, offset: 1 }), 1],
    [ofCluster({ limit: 1, offset: 2 }), 0],
    [ofCluster({ sort_key: "started", sort_dir: "asc" }), 2],
  ]),
  dws("DeleteSnapshot", { snapshot_id: "$first" }, { status: 202 }),
  dws("DeleteSnapshot", { snapshot_id: "$first" }, { status: 400, code: "DWS.0001" }),
  dws("ListSnapshotDetails", { snapshot_id: "$first" }, { status: 400, code: "DWS.5149" }),
  dws("ListClusterDetails", { cluster_id: "$missing" }, { status: 404, code: "DWS.0047" }),
  ...refusedKeys("dws", "ListSnapshots"),
];

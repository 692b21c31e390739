/** Implements file shares and their snapshots, of a service that does not exist. */
import { bareTime } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, accepted, type Call, ok, Refusal, type Service } from "../gateway/http.ts";
import { creationTimeInResponse, type SnapshotRecord, type Tags } from "../records.ts";
import type { SnapshotKind } from "../snapshot-kind.ts";
import { readObject, readOptionalMap } from "./constraints.ts";

const SNAPSHOTS = "/v1/{project_id}/share-snapshots";

interface ShareSnapshot extends SnapshotRecord {
  kind: "share-snapshot";
  tags: Tags;
}

declare module "../records.ts" {
  interface SnapshotRecordByKind {
    "share-snapshot": ShareSnapshot;
  }
  interface SeedOptionsByKind {
    "share-snapshot": { shareId: string; tags?: Tags };
  }
}

export const snapshotKind: SnapshotKind<"share-snapshot"> = {
  name: "share-snapshot",
  statuses: { creating: "creating", available: "available", error: "error" },
  creationMs: 1000,
  labelsField: "tags",
  seed: ({ shareId, tags = {} }, common) => ({ ...common, kind: "share-snapshot", resourceId: shareId, tags }),
  view: viewOf,
};

/** The shares of each embedded cloud. */
const SHARES = new WeakMap<CloudState["inventory"], Map<string, { id: string; name: string; tags: Tags }>>();
const sharesOf = ({ inventory }: CloudState) => SHARES.get(inventory) ?? new Map();

export const service: Service = {
  name: "sfs",
  behindGateway: true,
  failure: { 500: "SFS.5000", 503: "SFS.5030" },
  routes: [
    { operation: "sfs.createSnapshot", method: "POST", path: SNAPSHOTS, handle: create },
    { operation: "sfs.listSnapshots", method: "GET", path: SNAPSHOTS, handle: list },
    { operation: "sfs.deleteSnapshot", method: "DELETE", path: `${SNAPSHOTS}/{snapshot_id}`, handle: remove },
    { operation: "sfs.listShares", method: "GET", path: "/v1/{project_id}/shares", handle: listShares },
  ],
  envelope: ({ code, message }) => ({ error_code: code, error_msg: message }),
  resource: {
    type: "share",
    idField: "share_id",
    add: (share, cloud) => void SHARES.set(cloud.inventory, sharesOf(cloud).set(share.id, share)),
  },
};

function reject(message: string): never {
  throw new Refusal(400, "SFS.0001", message);
}

function create(call: Call, cloud: CloudState): ApiResponse {
  const { snapshot } = readObject(call.json, "body", ["snapshot"], reject);
  const known = ["share_id", "name", "description", "tags", "incremental"];
  const { share_id: shareId, name, description = null, tags } = readObject(snapshot, "snapshot", known, reject);
  if (typeof shareId !== "string" || !sharesOf(cloud).has(shareId))
    throw new Refusal(404, "SFS.0404", "No such share.");
  const record: ShareSnapshot = {
    ...cloud.inventory.newSnapshotFields("share-snapshot", shareId),
    kind: "share-snapshot",
    resourceId: shareId,
    name: String(name),
    description: description === null ? null : String(description),
    tags: readOptionalMap(tags, "snapshot.tags", reject) ?? {},
    size: 10,
    enterpriseProjectId: "0",
  };
  cloud.inventory.addSnapshot(record);
  return accepted({ snapshot_id: record.id });
}

function list(_: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const isVisible = inventory.visibility() ?? (() => true);
  const snapshots = inventory.snapshots["share-snapshot"].oldestFirst.filter(isVisible);
  return ok({ snapshots: snapshots.map((snapshot) => viewOf(snapshot, cloud)), count: snapshots.length });
}

function remove({ params }: Call, { inventory }: CloudState): ApiResponse {
  const snapshot = inventory.snapshots["share-snapshot"].get(params.snapshot_id ?? "");
  if (snapshot === undefined) throw new Refusal(404, "SFS.0404", "No such snapshot.");
  inventory.deleteSnapshot(snapshot);
  return accepted();
}

function listShares(_: Call, cloud: CloudState): ApiResponse {
  return ok({ shares: [...sharesOf(cloud).values()], count: sharesOf(cloud).size });
}

function viewOf(snapshot: ShareSnapshot, { inventory }: CloudState) {
  return {
    id: snapshot.id,
    name: snapshot.name,
    description: snapshot.description,
    status: inventory.statusOf(snapshot),
    created_at: creationTimeInResponse(snapshot, bareTime(snapshot.createdAt, snapshot.microseconds)),
    share_id: snapshot.resourceId,
    tags: snapshot.tags,
  };
}

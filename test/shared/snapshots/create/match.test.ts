import { describe, expect, test } from "vitest";
import type { SnapshotError } from "../../../../shared/core/errors.ts";
import type { JsonObject } from "../../../../shared/core/json.ts";
import { generateName, type MatchResult, matchExisting } from "../../../../shared/snapshots/create/match.ts";
import type { SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest } from "../../../../shared/snapshots/marker.ts";
import { requestOf, snapshotCreatedBy } from "../../../support/create-once.ts";
import { cluster, group, STATUS, snapshot, snapshotOf, standard, startPlus } from "../../../support/domain.ts";

/** Returns the result of `matchExisting`, or the error. */
function match(listed: FoundSnapshot[], request: SnapshotRequest): MatchResult & Partial<SnapshotError> {
  const { kind, options, policy, idempotencyKey } = request;
  try {
    return matchExisting(listed, request, { policy, idempotencyKey, requestHash: hashRequest(kind.name, options) });
  } catch (thrown) {
    return thrown as MatchResult & SnapshotError;
  }
}
const idOf = (listed: FoundSnapshot[], request: SnapshotRequest) => match(listed, request).existing?.id;

const clusterRequest = (options: JsonObject = {}, changes: Partial<SnapshotRequest> = {}) =>
  requestOf({ kind: cluster, options: { cluster_id: "cluster-1", ...options }, ...changes });

describe("matchExisting with generated cluster snapshot names", () => {
  const request = clusterRequest();
  /** Returns a cluster snapshot whose description DWS did not return, so it has no marker. */
  const named = (name: string, changes: Partial<FoundSnapshot> = {}) =>
    snapshotOf("a", "cluster-1", { name, marker: undefined, ...changes });

  test.each([
    ["no description", { description: undefined }],
    ["another description", { description: "changed" }],
    ["no description and no cluster id", { description: undefined, resource: undefined }],
  ])(
    "matchExisting recognizes a cluster snapshot by the name that the request generates if DWS lists %s",
    (_row, changes) => {
      for (const attempt of [1, 2, 20])
        expect(idOf([named(generateName(request, attempt).toUpperCase(), changes)], request)).toBe("a");
    },
  );

  test("matchExisting ignores a cluster snapshot without a marker whose name the request does not generate", () => {
    const otherKey = clusterRequest({}, { idempotencyKey: deriveKey("other") });
    const otherCluster = requestOf({ kind: cluster, options: { cluster_id: "cluster-2" } });
    for (const name of [
      generateName(otherKey, 1),
      generateName(otherCluster, 1),
      generateName(request, 0),
      generateName(request, 21),
      "release",
    ])
      expect(match([named(name)], request)).toEqual({ existing: undefined, failedCount: 0 });
  });

  test("matchExisting ignores a snapshot of another cluster that has the generated name", () => {
    expect(idOf([named(generateName(request, 1), { resource: "cluster-2" })], request)).toBeUndefined();
  });

  test("matchExisting counts a failed cluster snapshot that has the first generated name and no marker as a failed attempt", () => {
    const failed = named(generateName(request, 1), STATUS.failed);
    expect(match([failed], request)).toEqual({ existing: undefined, failedCount: 1 });
  });

  test("matchExisting does not compare generated names if the request contains a name", () => {
    const name = generateName(request, 1);
    expect(match([named(name)], clusterRequest({ name: "release" })).existing).toBeUndefined();
    expect(match([named(name)], clusterRequest({ name }))).toMatchObject({ reason: "Conflict" });
  });

  test("matchExisting does not recognize a disk snapshot by its name, because EVS returns the marker in the metadata or tags", () => {
    for (const kind of [snapshot, standard]) {
      const ofDisk = requestOf({ kind });
      const found = snapshotOf("a", "disk-1", { name: generateName(ofDisk, 1), marker: undefined });
      expect(idOf([found], ofDisk)).toBeUndefined();
    }
  });
});

describe("matchExisting with list rows that omit the resource id", () => {
  const server = (id: string, options: JsonObject = {}) =>
    requestOf({ kind: group, options: { server_id: id, ...options } });
  const withoutServer = (request: SnapshotRequest, id: string) =>
    snapshotCreatedBy(request, id, { resource: undefined });

  test("matchExisting finds the group of each of two servers by its request hash if the rows contain no server id", () => {
    const [one, two] = [server("server-1"), server("server-2")];
    const listed = [withoutServer(one, "a"), withoutServer(two, "b")];
    expect([idOf(listed, one), idOf(listed, two)]).toEqual(["a", "b"]);
    expect(match([withoutServer(one, "a")], two)).toEqual({ existing: undefined, failedCount: 0 });
  });

  test("matchExisting ignores a group without a server id and with other options, even if acceptsOtherOptions is set", () => {
    const found = withoutServer(server("server-1", { incremental: true }), "a");
    expect(idOf([found], { ...server("server-1"), acceptsOtherOptions: true })).toBeUndefined();
  });

  test("matchExisting ignores a row that has neither a server id nor a marker", () => {
    const found = snapshotOf("a", "", { resource: undefined, marker: undefined });
    expect(idOf([found], server("server-1"))).toBeUndefined();
  });
});

describe("matchExisting with other options under the same idempotency key", () => {
  const request = requestOf();
  const other = requestOf({ options: { volume_id: "disk-1", force: false } });
  const run = { ...request, acceptsOtherOptions: true };

  test("matchExisting returns a snapshot with other options only if acceptsOtherOptions is set", () => {
    const found = snapshotCreatedBy(other, "a");
    expect(match([found], run).existing).toBe(found);
    expect(match([found], request)).toMatchObject({ reason: "Conflict" });
  });

  test("matchExisting ignores an available duplicate with other options unless acceptsOtherOptions is set", () => {
    const listed = [
      snapshotCreatedBy(request, "a", STATUS.creating),
      snapshotCreatedBy(other, "b", { created: startPlus(1) }),
    ];
    expect([idOf(listed, request), idOf(listed, run)]).toEqual(["a", "b"]);
  });

  test("matchExisting ignores a snapshot with another idempotency key even if acceptsOtherOptions is set", () => {
    const found = snapshotCreatedBy(requestOf({ idempotencyKey: deriveKey("other") }), "a");
    expect(idOf([found], run)).toBeUndefined();
  });

  test("matchExisting returns an available snapshot even if it is the younger of two snapshots", () => {
    const listed = [
      snapshotCreatedBy(request, "younger", { created: startPlus(1) }),
      snapshotCreatedBy(request, "older", STATUS.unknown),
    ];
    expect(idOf(listed, request)).toBe("younger");
  });
});

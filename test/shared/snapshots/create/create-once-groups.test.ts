import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../shared/core/json.ts";
import type { SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import {
  callCreateOnce,
  createOnceWith,
  requestOf,
  resultWith,
  snapshotCreatedBy,
} from "../../../support/create-once.ts";
import { cluster, createFixture, group, STATUS, snapshotOf } from "../../../support/domain.ts";

describe("createOnce with a group of individual disks that the list response omits", () => {
  const disks = (...volume_ids: string[]) => requestOf({ kind: group, options: { volume_ids } });
  const withoutResource = (request: SnapshotRequest) => snapshotCreatedBy(request, "a", { resource: undefined });

  test("createOnce finds a group of individual disks by its request hash if the list response omits the disks", async () => {
    expect(await resultWith([withoutResource(disks("a", "b"))], disks("b", "a"))).toMatchObject({
      outcome: "existing",
    });
    expect(await resultWith([withoutResource(disks("a", "c"))], disks("a", "b"))).toMatchObject({
      outcome: "accepted",
    });
  });

  test("createOnce returns Conflict if a group of exactly the requested disks was created with different options", async () => {
    const member = (id: string) => snapshotOf(`of-${id}`, id);
    const other = requestOf({ kind: group, options: { volume_ids: ["A", "b"], incremental: true } });
    const found = { ...withoutResource(other), members: [member("B"), member("a")] };
    expect(await resultWith([found], disks("a", "b"))).toMatchObject({ reason: "Conflict" });
    expect(await resultWith([{ ...found, members: [member("a")] }], disks("a", "b"))).toMatchObject({
      outcome: "accepted",
    });
  });

  test("createOnce ignores a group of individual disks that has no marker", async () => {
    const theirs = snapshotOf("theirs", "", { resource: undefined, marker: undefined, labels: {} });
    expect(await resultWith([theirs], disks("a", "b"))).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce ignores a group of server-2 if the request asks for a group of server-1", async () => {
    const server = requestOf({ kind: group, options: { server_id: "server-1" } });
    const other = { ...withoutResource(disks("a")), resource: "server-2" };
    const fixture = createFixture();
    expect(await callCreateOnce(fixture, server, { bulkListed: [other] })).toMatchObject({ outcome: "accepted" });
  });
});

describe("createOnce with cluster snapshots, which have unique names in a project", () => {
  const clusterRequest = (options: JsonObject = {}) =>
    requestOf({ kind: cluster, options: { cluster_id: "cluster-1", ...options } });
  const long = "x".repeat(256);
  const release = (changes: Partial<FoundSnapshot>) =>
    snapshotOf("a", "cluster-1", { name: "release", marker: undefined, ...changes });

  test("createOnce finds a cluster snapshot by its name and description if the description leaves no room for the marker", async () => {
    const mine = clusterRequest({ name: "Release", description: long });
    expect(await resultWith([release({ description: `${long} ` })], mine)).toMatchObject({
      outcome: "existing",
      status: 200,
    });
    expect(
      await resultWith(
        [release({ description: `${long} ` })],
        clusterRequest({ name: "release", description: `${long} ` }),
      ),
    ).toMatchObject({ outcome: "existing" });
    for (const other of [{ description: "y" }, { description: undefined }]) {
      expect(await resultWith([release(other)], mine)).toMatchObject({ reason: "Conflict" });
    }
  });

  test("createOnce returns Conflict if a snapshot of another cluster has the requested name and description", async () => {
    const theirs = release({ description: long, resource: "cluster-2" });
    expect(await resultWith([theirs], clusterRequest({ name: "release", description: long }))).toMatchObject({
      reason: "Conflict",
    });
  });

  test("createOnce returns Conflict and sends no create request if any cluster snapshot has the requested name", async () => {
    const { result, requests } = await createOnceWith(
      [release({ name: "RELEASE", ...STATUS.creating })],
      clusterRequest({ name: "release" }),
    );
    expect(result).toMatchObject({
      reason: "Conflict",
      message:
        'Expected a name that is free in this project; "release" is the name of snapshot a (creating) of cluster-1. Choose another name.',
    });
    expect(requests).toEqual(["listFor cluster-snapshot cluster-1"]);
    const failed = await createOnceWith(
      [release({ ...STATUS.failed, resource: undefined })],
      clusterRequest({ name: "release" }),
    );
    expect(failed.result.message).toBe(
      'Expected a name that is free in this project; "release" is the name of snapshot a (error) of another resource. Choose another name, or delete that snapshot.',
    );
  });

  test("createOnce creates a cluster snapshot if the existing cluster snapshots have different names", async () => {
    expect(await resultWith([release({})], clusterRequest({ name: "other" }))).toMatchObject({ outcome: "accepted" });
    expect(await resultWith([release({})], clusterRequest())).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce creates a disk snapshot with the name of an existing one, because disk snapshots need no unique names", async () => {
    const mine = requestOf({ options: { volume_id: "disk-1", name: "release", description: "a" } });
    const found = snapshotOf("a", "disk-1", { name: "release", description: "a", marker: undefined });
    expect(await resultWith([found], mine)).toMatchObject({ outcome: "accepted" });
  });
});

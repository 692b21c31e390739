import { describe, expect, test } from "vitest";
import type { SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import {
  CREATING,
  cloudError,
  cluster,
  createFixture,
  FAILED,
  group,
  type JsonObject,
  snapshotOf,
} from "../../../support/domain.ts";
import { ask, ensured, madeBy, request } from "../../../support/requests.ts";

describe("createOnce with a group of individual disks whose disks the list omits", () => {
  const disks = (...volume_ids: string[]) => request({ kind: group, options: { volume_ids } });
  const withoutResource = (asked: SnapshotRequest) => madeBy(asked, "a", { resource: undefined });

  test("createOnce finds an existing group of individual disks by its request hash", async () => {
    expect((await ensured([withoutResource(disks("a", "b"))], disks("b", "a"))).result).toMatchObject({
      outcome: "existing",
    });
    expect((await ensured([withoutResource(disks("a", "c"))], disks("a", "b"))).result).toMatchObject({
      outcome: "accepted",
    });
  });

  test("createOnce finds an existing group of individual disks by its members", async () => {
    const member = (id: string) => snapshotOf(`of-${id}`, id);
    const other = request({ kind: group, options: { volume_ids: ["A", "b"], incremental: true } });
    const found = { ...withoutResource(other), members: [member("B"), member("a")] };
    expect((await ensured([found], disks("a", "b"))).result).toMatchObject({ reason: "Conflict" });
    expect((await ensured([{ ...found, members: [member("a")] }], disks("a", "b"))).result).toMatchObject({
      outcome: "accepted",
    });
  });

  test("createOnce does not return a group of individual disks without the marker", async () => {
    const theirs = snapshotOf("theirs", "", { resource: undefined, marker: undefined, labels: {} });
    expect((await ensured([theirs], disks("a", "b"))).result).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce does not return the group of a server for a request of individual disks", async () => {
    const server = request({ kind: group, options: { server_id: "server-1" } });
    const other = { ...withoutResource(disks("a")), resource: "server-2" };
    const fixture = createFixture();
    expect(await ask(fixture, server, [other])).toMatchObject({ outcome: "accepted" });
  });
});

describe("createOnce with cluster snapshots, whose names are unique", () => {
  const asked = (options: JsonObject = {}) =>
    request({ kind: cluster, options: { cluster_id: "cluster-1", ...options } });
  const long = "x".repeat(256);
  const named = (changes: Partial<FoundSnapshot>) =>
    snapshotOf("a", "cluster-1", { name: "release", marker: undefined, ...changes });

  test("createOnce finds a cluster snapshot without room for the marker by its name and its description", async () => {
    const mine = asked({ name: "Release", description: long });
    expect((await ensured([named({ description: `${long} ` })], mine)).result).toMatchObject({
      outcome: "existing",
      status: 200,
    });
    expect(
      (await ensured([named({ description: `${long} ` })], asked({ name: "release", description: `${long} ` }))).result,
    ).toMatchObject({ outcome: "existing" });
    for (const other of [{ description: "y" }, { description: undefined }]) {
      expect((await ensured([named(other)], mine)).result).toMatchObject({ reason: "Conflict" });
    }
  });

  test("createOnce reports a conflict if a snapshot of another cluster has the same name and description", async () => {
    const theirs = named({ description: long, resource: "cluster-2" });
    expect((await ensured([theirs], asked({ name: "release", description: long }))).result).toMatchObject({
      reason: "Conflict",
    });
  });

  test("createOnce reports a conflict before it sends a create if any cluster snapshot has the name", async () => {
    const { result, asked: calls } = await ensured(
      [named({ name: "RELEASE", ...CREATING })],
      asked({ name: "release" }),
    );
    expect(result).toMatchObject({
      reason: "Conflict",
      message:
        'Expected a name that is free in this project; "release" is the name of snapshot a (creating) of cluster-1. Choose another name.',
    });
    expect(calls).toEqual(["listFor cluster-snapshot cluster-1"]);
    const failed = await ensured([named({ ...FAILED, resource: undefined })], asked({ name: "release" }));
    expect(failed.result.message).toBe(
      'Expected a name that is free in this project; "release" is the name of snapshot a (error) of another resource. Choose another name, or delete that snapshot.',
    );
  });

  test("createOnce creates a cluster snapshot if existing ones have other names", async () => {
    expect((await ensured([named({})], asked({ name: "other" }))).result).toMatchObject({ outcome: "accepted" });
    expect((await ensured([named({})], asked())).result).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce creates a disk snapshot although another snapshot has the same name", async () => {
    const mine = request({ options: { volume_id: "disk-1", name: "release", description: "a" } });
    const found = snapshotOf("a", "disk-1", { name: "release", description: "a", marker: undefined });
    expect((await ensured([found], mine)).result).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce lists the cluster snapshots again after a rejected create, because another delivery may have created one", async () => {
    const fixture = createFixture();
    const mine = asked({ name: "release" });
    fixture.cloud.at("create", { afterwards: cloudError("Conflict", { status: 400 }) });
    expect(await ask(fixture, mine)).toMatchObject({ outcome: "existing", snapshotId: "made-1", attempts: 0 });

    const refused = createFixture();
    refused.cloud.at("create", cloudError("Conflict", { status: 400 }));
    expect(await ask(refused, mine)).toMatchObject({ reason: "Conflict", attempts: 1 });
    expect(refused.cloud.requests()).toHaveLength(3);

    const unseen = createFixture();
    unseen.cloud.at("listFor", undefined, cloudError("AccessDenied"));
    unseen.cloud.at("create", cloudError("Conflict", { status: 400 }));
    expect(await ask(unseen, mine)).toMatchObject({ reason: "Conflict" });

    const unsent = createFixture();
    unsent.cloud.at("create", cloudError("AccessDenied", { requestSent: false }));
    expect(await ask(unsent, mine)).toMatchObject({ reason: "AccessDenied", attempts: 0 });
    expect(unsent.cloud.requests()).toHaveLength(2);
  });
});

import { describe, expect, test } from "vitest";
import {
  cannotBeDeleted,
  type FoundSnapshot,
  isBeingDeleted,
  type Kind,
  type State,
} from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS, type KindName } from "../../../shared/snapshots/kinds/kinds.ts";
import { markerLabels } from "../../../shared/snapshots/marker.ts";
import { cluster, group, type JsonObject, markerOf, snapshot, snapshotOf, standard } from "../../support/domain.ts";

const MARKER = markerOf("one");
const LABELS = markerLabels(MARKER);
const TEXT = `managed-by:snapshot-functions policy:nightly key:${MARKER.idempotencyKey} content:${MARKER.requestHash}`;

test("KINDS has four kinds with their public names", () => {
  for (const [name, kind] of Object.entries(KINDS)) expect(kind.name).toBe(name);
  expect(Object.keys(KINDS)).toEqual(["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"]);
});

describe("resourceOf of each kind", () => {
  test.each<[name: KindName, options: JsonObject, resource: string]>([
    ["snapshot", { volume_id: "DISK-1" }, "disk-1"],
    ["standard-snapshot", { volume_id: "DISK-1" }, "disk-1"],
    ["snapshot-group", { server_id: "SERVER-1" }, "server-1"],
    ["snapshot-group", { volume_ids: ["DISK-2", "disk-1"] }, "disk-1,disk-2"],
    ["snapshot-group", {}, ""],
    ["cluster-snapshot", { cluster_id: "CLUSTER-1" }, "cluster-1"],
  ])("resourceOf returns the resource in lower case: %s", (name, options, resource) => {
    const kind: Kind = KINDS[name];
    expect(kind.resourceOf(options)).toBe(resource);
  });

  test("resourceOf does not sort the disks in the request of a group", () => {
    const options = { volume_ids: ["b", "a"] };
    group.resourceOf(options);
    expect(options.volume_ids).toEqual(["b", "a"]);
  });
});

describe("mark of each kind", () => {
  test.each<[name: KindName, field: "metadata" | "tags"]>([
    ["snapshot", "metadata"],
    ["standard-snapshot", "tags"],
    ["snapshot-group", "tags"],
  ])("mark adds the marker to the caller's labels: %s", (name, field) => {
    const kind: Kind = KINDS[name];
    const options = { name: "a", [field]: { team: "shop" } };
    expect(kind.mark(options, MARKER)).toEqual({ name: "a", [field]: { team: "shop", ...LABELS } });
    expect(kind.mark({ name: "a" }, MARKER)).toEqual({ name: "a", [field]: LABELS });
    expect(options).toEqual({ name: "a", [field]: { team: "shop" } });
  });

  test("mark adds the marker to the description of a cluster snapshot, within 256 characters", () => {
    const described = (description?: unknown) => cluster.mark({ name: "a", description }, MARKER);
    expect(described()).toEqual({ name: "a", description: TEXT });
    expect(described(null)).toEqual({ name: "a", description: TEXT });
    expect(described("before the migration").description).toBe(`before the migration ${TEXT}`);
    const longest = "x".repeat(256 - TEXT.length - 1);
    expect(described(longest).description).toBe(`${longest} ${TEXT}`);
    expect(described(`${longest}x`).description).toBe(`${longest}x`);
  });
});

describe("read of each kind", () => {
  const raw = { id: "one", name: "nightly-one", status: "available", created_at: "2026-11-21T02:00:00.123456" };
  const read = (kind: Kind, changes: JsonObject = {}) => kind.read({ ...raw, ...changes }) as FoundSnapshot;

  test.each<[name: KindName, labels: string, resource: string]>([
    ["snapshot", "metadata", "volume_id"],
    ["standard-snapshot", "tags", "volume_id"],
    ["snapshot-group", "tags", "server_id"],
  ])("read returns an EVS snapshot with its labels and its resource: %s", (name, labels, resource) => {
    const kind: Kind = KINDS[name];
    const one = { ...raw, description: "a", [labels]: { ...LABELS, hold: "true" }, [resource]: "DISK-1" };
    expect(kind.read(one)).toEqual({
      id: "one",
      name: "nightly-one",
      resource: "disk-1",
      status: "available",
      state: "available",
      created: Date.parse("2026-11-21T02:00:00.123Z"),
      description: "a",
      labels: { ...LABELS, hold: "true" },
      marker: MARKER,
      raw: one,
    });
  });

  test("read returns a DWS snapshot with the marker from its description", () => {
    const one = {
      id: "one",
      name: "nightly-one",
      status: "AVAILABLE",
      started: "2026-11-21T02:00:00Z",
      cluster_id: "CLUSTER-1",
      description: `a ${TEXT}`,
    };
    expect(cluster.read(one)).toEqual({
      id: "one",
      name: "nightly-one",
      resource: "cluster-1",
      status: "AVAILABLE",
      state: "available",
      created: Date.parse("2026-11-21T02:00:00Z"),
      description: `a ${TEXT}`,
      labels: {},
      marker: MARKER,
      raw: one,
    });
  });

  test.each(Object.values(KINDS))("read rejects a response without an id or a status: $name", (kind: Kind) => {
    for (const missing of [{ id: undefined }, { id: "" }, { id: 7 }, { status: undefined }, { status: "" }]) {
      expect(kind.read({ ...raw, ...missing })).toBeUndefined();
    }
  });

  test.each(Object.values(KINDS))("read accepts a response with only an id and a status: $name", (kind) => {
    const found = (kind as Kind).read({ id: "one", status: "available" });
    expect(found).toMatchObject({ name: "", labels: {} });
    for (const absent of ["resource", "created", "description", "marker"]) {
      expect(found).toHaveProperty(absent, undefined);
    }
  });

  test("read returns no resource for a group of individual disks", () => {
    expect(read(group, { server_id: "" }).resource).toBeUndefined();
    expect(read(group, { server_id: null }).resource).toBeUndefined();
  });

  test.each<[name: KindName, states: Record<string, State>]>([
    [
      "snapshot",
      {
        creating: "creating",
        available: "available",
        avaialble: "available",
        AVAILABLE: "available",
        error: "failed",
        ERROR: "failed",
        failed: "failed",
        error_creating: "failed",
        error_rollbacking: "failed",
        "Creation Failed": "failed",
        deleting: "deleting",
        DELETING: "deleting",
        deleted: "deleting",
        pending_delete: "deleting",
        error_deleting: "deleting",
        DELETE_FAILED: "deleting",
        deletable: "unknown",
        unavailable: "unknown",
        " available": "unknown",
        rollbacking: "unknown",
        "backing-up": "unknown",
        "": "unknown",
      },
    ],
    [
      "cluster-snapshot",
      {
        CREATING: "creating",
        AVAILABLE: "available",
        available: "available",
        UNAVAILABLE: "failed",
        unavailable: "failed",
        FAILED: "failed",
        CREATE_FAILED: "failed",
        error: "failed",
        DELETING: "deleting",
        DELETE_FAIL: "deleting",
        avaialble: "unknown",
        RESTORING: "unknown",
      },
    ],
  ])("read returns the state of each status: %s", (name, states) => {
    const kind: Kind = KINDS[name];
    for (const [status, state] of Object.entries(states)) {
      expect(kind.read({ ...raw, status })?.state, status).toBe(status === "" ? undefined : state);
    }
  });
});

test("read returns the state unknown for a status such as `constructor`, which is a property of every object", () => {
  for (const kind of Object.values<Kind>(KINDS)) {
    for (const status of ["constructor", "toString", "valueOf", "__proto__", "hasOwnProperty"]) {
      expect(kind.read({ id: "one", status })?.state, `${kind.name} ${status}`).toBe("unknown");
    }
  }
});

test("isBeingDeleted returns false if the deletion failed, for every wording of the status", () => {
  const [stuck, going] = [
    ["error_deleting", "ERROR_DELETING", "delete_failed"],
    ["deleting", "deleted", "DELETING"],
  ].map((statuses) => statuses.map((status) => snapshot.read({ id: "one", status }) as FoundSnapshot));
  expect(stuck?.map((one) => [cannotBeDeleted(one), isBeingDeleted(one)])).toEqual(stuck?.map(() => [true, false]));
  expect(going?.map((one) => [cannotBeDeleted(one), isBeingDeleted(one)])).toEqual(going?.map(() => [false, true]));
});

describe("the create responses of each kind", () => {
  test("createdId returns the id from the create response of each API", () => {
    expect(snapshot.createdId({ snapshot: { id: "one" } })).toBe("one");
    expect(cluster.createdId({ snapshot: { id: "one" } })).toBe("one");
    expect(standard.createdId({ job_id: "job", snapshot_id: "one" })).toBe("one");
    expect(group.createdId({ job_id: "job", snapshot_group_id: "one" })).toBe("one");
  });

  test.each(Object.values(KINDS))("createdId returns undefined if the response has no id: $name", (kind: Kind) => {
    for (const answer of [{}, { snapshot: null }, { snapshot: "one" }, { snapshot: { id: 1 } }, { id: "one" }]) {
      expect(kind.createdId(answer)).toBeUndefined();
    }
  });

  test("answer rebuilds the create response of an EVS v2 snapshot with its fields", () => {
    const raw = {
      id: "one",
      name: "nightly-one",
      status: "available",
      volume_id: "disk-1",
      size: 40,
      description: null,
      created_at: "2026-11-21T02:00:00",
      updated_at: "2026-11-21T02:01:00",
      metadata: LABELS,
      "os-extended-snapshot-attributes:project_id": "p",
      "os-extended-snapshot-attributes:progress": "100%",
    };
    expect(snapshot.answer(snapshotOf("one", "disk-1", { raw: { ...raw, snapshot_type: "manual" } }))).toEqual({
      snapshot: raw,
    });
    expect(snapshot.answer(snapshotOf("one", "disk-1", { raw: { id: "one" } }))).toEqual({ snapshot: { id: "one" } });
  });

  test("answer rebuilds the create response of the other kinds from the id, without a job", () => {
    const one = snapshotOf("one", "disk-1", { raw: { id: "one", job_id: "job" } });
    expect(standard.answer(one)).toEqual({ snapshot_id: "one" });
    expect(group.answer(one)).toEqual({ snapshot_group_id: "one" });
    expect(cluster.answer(one)).toEqual({ snapshot: { id: "one" } });
  });
});

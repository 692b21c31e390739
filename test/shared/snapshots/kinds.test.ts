import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../shared/core/json.ts";
import {
  cannotBeDeleted,
  type FoundSnapshot,
  isBeingDeleted,
  type Kind,
  type State,
} from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS, type KindName } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import { markerLabels } from "../../../shared/snapshots/marker.ts";
import { cluster, group, markerOf, snapshot, snapshotOf, standard } from "../../support/domain.ts";

const MARKER = markerOf("one");
const LABELS = markerLabels(MARKER);
const TEXT = `managed-by:snapshot-functions policy:nightly key:${MARKER.idempotencyKey} content:${MARKER.requestHash}`;

test("KINDS contains the four snapshot kinds under their public names", () => {
  for (const [name, kind] of Object.entries(KINDS)) expect(kind.name).toBe(name);
  expect(Object.keys(KINDS)).toEqual(["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"]);
});

describe("resourceOf", () => {
  test.each<[name: KindName, options: JsonObject, resource: string]>([
    ["snapshot", { volume_id: "DISK-1" }, "disk-1"],
    ["standard-snapshot", { volume_id: "DISK-1" }, "disk-1"],
    ["snapshot-group", { server_id: "SERVER-1" }, "server-1"],
    ["snapshot-group", { volume_ids: ["DISK-2", "disk-1"] }, "disk-1,disk-2"],
    ["snapshot-group", {}, ""],
    ["cluster-snapshot", { cluster_id: "CLUSTER-1" }, "cluster-1"],
  ])("resourceOf of the kind %s converts the options %j to the resource id %j", (name, options, resource) => {
    const kind: Kind = KINDS[name];
    expect(kind.resourceOf(options)).toBe(resource);
  });

  test("resourceOf of the kind snapshot-group does not change the order of the disks in the request", () => {
    const options = { volume_ids: ["b", "a"] };
    group.resourceOf(options);
    expect(options.volume_ids).toEqual(["b", "a"]);
  });
});

describe("mark", () => {
  test.each<[name: KindName, field: "metadata" | "tags"]>([
    ["snapshot", "metadata"],
    ["standard-snapshot", "tags"],
    ["snapshot-group", "tags"],
  ])(
    'mark of the kind %s adds the labels that identify a snapshot to the field "%s" and keeps the labels of the caller',
    (name, field) => {
      const kind: Kind = KINDS[name];
      const options = { name: "a", [field]: { team: "shop" } };
      expect(kind.mark(options, MARKER)).toEqual({ name: "a", [field]: { team: "shop", ...LABELS } });
      expect(kind.mark({ name: "a" }, MARKER)).toEqual({ name: "a", [field]: LABELS });
      expect(options).toEqual({ name: "a", [field]: { team: "shop" } });
    },
  );

  test("mark of the kind cluster-snapshot appends the marker to the description, unless the result exceeds 256 characters", () => {
    const marked = (description?: unknown) => cluster.mark({ name: "a", description }, MARKER);
    expect(marked()).toEqual({ name: "a", description: TEXT });
    expect(marked(null)).toEqual({ name: "a", description: TEXT });
    expect(marked("before the migration").description).toBe(`before the migration ${TEXT}`);
    const longest = "x".repeat(256 - TEXT.length - 1);
    expect(marked(longest).description).toBe(`${longest} ${TEXT}`);
    expect(marked(`${longest}x`).description).toBe(`${longest}x`);
  });
});

describe("read", () => {
  const raw = { id: "one", name: "nightly-one", status: "available", created_at: "2026-11-21T02:00:00.123456" };
  const read = (kind: Kind, changes: JsonObject = {}) => kind.read({ ...raw, ...changes }) as FoundSnapshot;

  test.each<[name: KindName, labels: string, resource: string]>([
    ["snapshot", "metadata", "volume_id"],
    ["standard-snapshot", "tags", "volume_id"],
    ["snapshot-group", "tags", "server_id"],
  ])(
    'read of the kind %s reads the labels from the field "%s" and the resource from the field "%s"',
    (name, labels, resource) => {
      const kind: Kind = KINDS[name];
      const row = { ...raw, description: "a", [labels]: { ...LABELS, hold: "true" }, [resource]: "DISK-1" };
      expect(kind.read(row)).toEqual({
        id: "one",
        name: "nightly-one",
        resource: "disk-1",
        status: "available",
        state: "available",
        created: Date.parse("2026-11-21T02:00:00.123Z"),
        description: "a",
        labels: { ...LABELS, hold: "true" },
        marker: MARKER,
        raw: row,
      });
    },
  );

  test("read of the kind cluster-snapshot reads the marker from the description", () => {
    const row = {
      id: "one",
      name: "nightly-one",
      status: "AVAILABLE",
      started: "2026-11-21T02:00:00Z",
      cluster_id: "CLUSTER-1",
      description: `a ${TEXT}`,
    };
    expect(cluster.read(row)).toEqual({
      id: "one",
      name: "nightly-one",
      resource: "cluster-1",
      status: "AVAILABLE",
      state: "available",
      created: Date.parse("2026-11-21T02:00:00Z"),
      description: `a ${TEXT}`,
      labels: {},
      marker: MARKER,
      raw: row,
    });
  });

  test.each(Object.values(KINDS))(
    "read of the kind $name returns undefined for a row without an id or a status",
    (kind: Kind) => {
      for (const missing of [{ id: undefined }, { id: "" }, { id: 7 }, { status: undefined }, { status: "" }]) {
        expect(kind.read({ ...raw, ...missing })).toBeUndefined();
      }
    },
  );

  test.each(Object.values(KINDS))("read of the kind $name accepts a row with only an id and a status", (kind) => {
    const found = (kind as Kind).read({ id: "one", status: "available" });
    expect(found).toMatchObject({ name: "", labels: {} });
    for (const absent of ["resource", "created", "description", "marker"]) {
      expect(found).toHaveProperty(absent, undefined);
    }
  });

  test("read of the kind snapshot-group returns no resource for a group of individual disks", () => {
    expect(read(group, { server_id: "" }).resource).toBeUndefined();
    expect(read(group, { server_id: null }).resource).toBeUndefined();
  });

  test.each<[name: KindName, statuses: Partial<Record<State, string>>]>([
    [
      "snapshot",
      {
        creating: "creating",
        available: "available, avaialble, AVAILABLE",
        failed: "error, ERROR, failed, error_creating, error_rollbacking, Creation Failed",
        deleting: "deleting, DELETING, deleted, pending_delete, error_deleting, DELETE_FAILED",
        unknown: "deletable, unavailable,  available, rollbacking, backing-up",
      },
    ],
    [
      "cluster-snapshot",
      {
        creating: "CREATING",
        available: "AVAILABLE, available",
        failed: "UNAVAILABLE, unavailable, FAILED, CREATE_FAILED, error",
        deleting: "DELETING, DELETE_FAIL",
        unknown: "avaialble, RESTORING",
      },
    ],
  ])(
    "read of the kind %s returns the right state for each documented status and for misspelled statuses",
    (name, statuses) => {
      for (const [state, list] of Object.entries(statuses)) {
        for (const status of list.split(", ")) {
          expect((KINDS[name] as Kind).read({ ...raw, status })?.state, status).toBe(state);
        }
      }
      expect((KINDS[name] as Kind).read({ ...raw, status: "" })).toBeUndefined();
    },
  );
});

test("read returns the state unknown if the status is the name of an object property such as constructor", () => {
  for (const kind of Object.values<Kind>(KINDS)) {
    for (const status of ["constructor", "toString", "valueOf", "__proto__", "hasOwnProperty"]) {
      expect(kind.read({ id: "one", status })?.state, `${kind.name} ${status}`).toBe("unknown");
    }
  }
});

test("isBeingDeleted returns false and cannotBeDeleted returns true for the statuses of a failed deletion, in lower or upper case", () => {
  const [failed, running] = [
    ["error_deleting", "ERROR_DELETING", "delete_failed"],
    ["deleting", "deleted", "DELETING"],
  ].map((statuses) => statuses.map((status) => snapshot.read({ id: "one", status }) as FoundSnapshot));
  expect(failed?.map((found) => [cannotBeDeleted(found), isBeingDeleted(found)])).toEqual(Array(3).fill([true, false]));
  expect(running?.map((found) => [cannotBeDeleted(found), isBeingDeleted(found)])).toEqual(
    Array(3).fill([false, true]),
  );
});

describe("readCreatedId and toResponse", () => {
  test("readCreatedId returns the snapshot id from the create response of each kind's API", () => {
    expect(snapshot.readCreatedId({ snapshot: { id: "one" } })).toBe("one");
    expect(cluster.readCreatedId({ snapshot: { id: "one" } })).toBe("one");
    expect(standard.readCreatedId({ job_id: "job", snapshot_id: "one" })).toBe("one");
    expect(group.readCreatedId({ job_id: "job", snapshot_group_id: "one" })).toBe("one");
  });

  test.each(Object.values(KINDS))(
    "readCreatedId of the kind $name returns undefined if the create response contains no snapshot id",
    (kind: Kind) => {
      for (const response of [{}, { snapshot: null }, { snapshot: "one" }, { snapshot: { id: 1 } }, { id: "one" }]) {
        expect(kind.readCreatedId(response)).toBeUndefined();
      }
    },
  );

  test("toResponse of the kind snapshot rebuilds the create response of EVS v2 from the listed fields", () => {
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
    expect(snapshot.toResponse(snapshotOf("one", "disk-1", { raw: { ...raw, snapshot_type: "manual" } }))).toEqual({
      snapshot: raw,
    });
    expect(snapshot.toResponse(snapshotOf("one", "disk-1", { raw: { id: "one" } }))).toEqual({
      snapshot: { id: "one" },
    });
  });

  test("toResponse of every kind except snapshot returns only the snapshot id, without a job id", () => {
    const found = snapshotOf("one", "disk-1", { raw: { id: "one", job_id: "job" } });
    expect(standard.toResponse(found)).toEqual({ snapshot_id: "one" });
    expect(group.toResponse(found)).toEqual({ snapshot_group_id: "one" });
    expect(cluster.toResponse(found)).toEqual({ snapshot: { id: "one" } });
  });
});

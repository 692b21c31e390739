import { describe, expect, test } from "vitest";
import { after, type Instant, instant } from "../../../shared/core/instant.ts";
import {
  cannotBeDeleted,
  type FoundSnapshot,
  isBeingDeleted,
  type Kind,
  type State,
} from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS, type KindName } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import { compareWithDisks, groupWith, seemsComplete } from "../../../shared/snapshots/kinds/snapshot-group.ts";
import { markerLabels } from "../../../shared/snapshots/marker.ts";
import type { AttachedDisk } from "../../../shared/snapshots/ports.ts";
import {
  cluster,
  group,
  type JsonObject,
  markerOf,
  START,
  snapshot,
  snapshotOf,
  standard,
} from "../../support/domain.ts";

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

describe("groupWith", () => {
  const member = (state: State, index: number) =>
    snapshotOf(`member-${index}`, `disk-${index}`, { state, status: `is ${state}` });
  const stateOf = (own: State, ...members: State[]) =>
    groupWith(snapshotOf("group", "server-1", { state: own }), members.map(member)).state;

  test.each<[own: State, members: State[], whole: State]>([
    ["available", ["available", "available"], "available"],
    ["available", ["available", "creating"], "creating"],
    ["available", [], "creating"],
    ["available", ["available", "failed"], "failed"],
    ["available", ["creating", "failed"], "failed"],
    ["available", ["available", "deleting"], "unknown"],
    ["available", ["available", "unknown"], "unknown"],
    ["available", ["creating", "unknown"], "unknown"],
    ["creating", [], "creating"],
    ["creating", ["available"], "creating"],
    ["creating", ["deleting"], "creating"],
    ["creating", ["available", "failed"], "failed"],
    ["unknown", ["available"], "unknown"],
    ["unknown", ["failed"], "failed"],
    ["failed", ["available"], "failed"],
    ["failed", ["deleting", "failed"], "failed"],
    ["deleting", ["failed"], "deleting"],
    ["deleting", ["available"], "deleting"],
  ])("groupWith returns for a group that is %s with members %j the state %s", (own, members, whole) => {
    expect(stateOf(own, ...members)).toBe(whole);
  });

  test("groupWith returns the group with its members", () => {
    const members = [member("available", 1), member("creating", 2)];
    const whole = groupWith(snapshotOf("group", "server-1"), members);
    expect(whole).toMatchObject({ id: "group", resource: "server-1", members });
  });
});

describe("seemsComplete", () => {
  const member = (state: State) => snapshotOf(`is-${state}`, "disk-1", { state });
  test.each<[status: string, members: State[], complete: boolean]>([
    ["available", ["available"], true],
    ["avaialble", ["available", "available"], true],
    ["AVAILABLE", [], true],
    ["available", ["creating"], false],
    ["available", ["available", "creating"], false],
    ["available", ["unknown"], false],
    ["available", ["failed"], false],
    ["creating", ["available"], false],
    ["creating", [], false],
    ["deleting", ["available"], false],
    ["quantum", ["available"], false],
  ])(
    "seemsComplete returns for a group in the status %s with members in the states %j: %s",
    (status, members, complete) => {
      const read = group.read({ id: "group", status, server_id: "server-1" }) as FoundSnapshot;
      expect(seemsComplete(groupWith(read, members.map(member)))).toBe(complete);
    },
  );
});

describe("compareWithDisks", () => {
  const moment = (milliseconds: number) => after(START, milliseconds);
  const CREATED = moment(-60_000);
  const LATER = moment(-59_999);
  const whole = (...disks: (string | undefined)[]) =>
    snapshotOf("group", "server-1", {
      members: disks.map((resource, index) => snapshotOf(`member-${index}`, "", { resource })),
    });
  const compared = (members: FoundSnapshot, disks: AttachedDisk[], created: Instant | undefined = CREATED) => {
    const { state, stateDetail } = compareWithDisks(members, disks, START, created);
    return [state, stateDetail];
  };
  const missing = (id: string) => ["failed", `the member for disk ${id} is missing`];

  test("compareWithDisks keeps the state of a group with a member for each disk, in any case of the ids", () => {
    const one = whole("a", "b", "c");
    expect(compareWithDisks(one, [{ id: "A" }, { id: "b" }], START, CREATED)).toBe(one);
  });

  test("compareWithDisks returns failed for a group without a member for a disk, and ignores members without a disk", () => {
    expect(compared(whole("a"), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(whole("a", undefined), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(whole(), [{ id: "a" }])).toEqual(missing("a"));
  });

  test("compareWithDisks returns creating for a group that lacks a member in the first 6 s", () => {
    const stateAfter = (ms: number) => compared(whole("a"), [{ id: "b" }], moment(-ms))[0];
    expect([stateAfter(-60_000), stateAfter(0), stateAfter(5_999), stateAfter(6_000)]).toEqual([
      "creating",
      "creating",
      "creating",
      "failed",
    ]);
  });

  test("compareWithDisks ignores a disk that was attached later, by a credible time", () => {
    const since = (attachedAt: Instant | undefined) => compared(whole("a"), [{ id: "a" }, { id: "b", attachedAt }]);
    expect(since(LATER)).toEqual(["available", undefined]);
    for (const attachedAt of [CREATED, moment(-60_001), undefined, instant(0), moment(3_600_000)]) {
      expect(since(attachedAt), String(attachedAt)).toEqual(missing("b"));
    }
  });

  test("compareWithDisks requires a member for each disk if the creation time is unknown", () => {
    const found = compareWithDisks(whole("a"), [{ id: "a" }, { id: "b", attachedAt: START }], START, undefined);
    expect([found.state, found.stateDetail]).toEqual(missing("b"));
  });

  test("compareWithDisks returns unknown if no disk was attached when the group was created", () => {
    for (const disks of [[], [{ id: "a", attachedAt: LATER }]]) {
      expect(compared(whole("a"), disks)).toEqual([
        "unknown",
        "EVS lists no disk that was attached when the group was created",
      ]);
    }
  });
});

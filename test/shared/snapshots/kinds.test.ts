import { describe, expect, test } from "vitest";
import { after, type Instant, instant } from "../../../shared/core/instant.ts";
import {
  cannotBeDeleted,
  type FoundSnapshot,
  isBeingDeleted,
  type Kind,
  type State,
} from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.ts";
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

test("there are four, by the names that everybody uses", () => {
  for (const [name, kind] of Object.entries(KINDS)) expect(kind.name).toBe(name);
  expect(Object.keys(KINDS)).toEqual(["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"]);
});

describe("what a snapshot is of, in the case of the cloud's lists", () => {
  test.each<[kind: Kind, options: JsonObject, resource: string]>([
    [snapshot, { volume_id: "DISK-1" }, "disk-1"],
    [standard, { volume_id: "DISK-1" }, "disk-1"],
    [group, { server_id: "SERVER-1" }, "server-1"],
    [group, { volume_ids: ["DISK-2", "disk-1"] }, "disk-1,disk-2"],
    [group, {}, ""],
    [cluster, { cluster_id: "CLUSTER-1" }, "cluster-1"],
  ])("$kind", (kind, options, resource) => {
    expect(kind.resourceOf(options)).toBe(resource);
  });

  test("a group's disks are not put in order in the request itself", () => {
    const options = { volume_ids: ["b", "a"] };
    group.resourceOf(options);
    expect(options.volume_ids).toEqual(["b", "a"]);
  });
});

describe("the marker is where each API has room for it, beside what the caller wrote", () => {
  test.each<[kind: Kind, field: "metadata" | "tags"]>([
    [snapshot, "metadata"],
    [standard, "tags"],
    [group, "tags"],
  ])("%o", (kind, field) => {
    const options = { name: "a", [field]: { team: "shop" } };
    expect(kind.mark(options, MARKER)).toEqual({ name: "a", [field]: { team: "shop", ...LABELS } });
    expect(kind.mark({ name: "a" }, MARKER)).toEqual({ name: "a", [field]: LABELS });
    expect(options).toEqual({ name: "a", [field]: { team: "shop" } });
  });

  test("a cluster's snapshot has its description alone, of 256 characters", () => {
    const described = (description?: unknown) => cluster.mark({ name: "a", description }, MARKER);
    expect(described()).toEqual({ name: "a", description: TEXT });
    expect(described(null)).toEqual({ name: "a", description: TEXT });
    expect(described("before the migration").description).toBe(`before the migration ${TEXT}`);
    const longest = "x".repeat(256 - TEXT.length - 1);
    expect(described(longest).description).toBe(`${longest} ${TEXT}`);
    expect(described(`${longest}x`).description).toBe(`${longest}x`);
  });
});

describe("a snapshot in a list", () => {
  const raw = { id: "one", name: "nightly-one", status: "available", created_at: "2026-11-21T02:00:00.123456" };
  const read = (kind: Kind, changes: JsonObject = {}) => kind.read({ ...raw, ...changes }) as FoundSnapshot;

  test.each<[kind: Kind, labels: string, resource: string]>([
    [snapshot, "metadata", "volume_id"],
    [standard, "tags", "volume_id"],
    [group, "tags", "server_id"],
  ])("of EVS is read with its labels and what it is of: %o", (kind, labels, resource) => {
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

  test("of DWS is read with the marker in its description", () => {
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

  test.each(Object.values(KINDS))("without an id or a status is none: $kind", (kind: Kind) => {
    for (const missing of [{ id: undefined }, { id: "" }, { id: 7 }, { status: undefined }, { status: "" }]) {
      expect(kind.read({ ...raw, ...missing })).toBeUndefined();
    }
  });

  test.each(Object.values(KINDS))("with nothing but these is one without a name, a time or a marker: $kind", (kind) => {
    const found = (kind as Kind).read({ id: "one", status: "available" });
    expect(found).toMatchObject({ name: "", labels: {} });
    for (const absent of ["resource", "created", "description", "marker"]) {
      expect(found).toHaveProperty(absent, undefined);
    }
  });

  test("of a group of single disks is of no server", () => {
    expect(read(group, { server_id: "" }).resource).toBeUndefined();
    expect(read(group, { server_id: null }).resource).toBeUndefined();
  });

  test.each<[kind: Kind, states: Record<string, State>]>([
    [
      snapshot,
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
      cluster,
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
  ])("is in the state that its status means: %o", (kind, states) => {
    for (const [status, state] of Object.entries(states)) {
      expect(kind.read({ ...raw, status })?.state, status).toBe(status === "" ? undefined : state);
    }
  });
});

test("a status such as `constructor`, which names a property of every object, is an unknown state", () => {
  for (const kind of Object.values<Kind>(KINDS)) {
    for (const status of ["constructor", "toString", "valueOf", "__proto__", "hasOwnProperty"]) {
      expect(kind.read({ id: "one", status })?.state, `${kind.name} ${status}`).toBe("unknown");
    }
  }
});

test("a snapshot whose deletion failed is not being deleted any more, however the service words the status", () => {
  const [stuck, going] = [
    ["error_deleting", "ERROR_DELETING", "delete_failed"],
    ["deleting", "deleted", "DELETING"],
  ].map((statuses) => statuses.map((status) => snapshot.read({ id: "one", status }) as FoundSnapshot));
  expect(stuck?.map((one) => [cannotBeDeleted(one), isBeingDeleted(one)])).toEqual(stuck?.map(() => [true, false]));
  expect(going?.map((one) => [cannotBeDeleted(one), isBeingDeleted(one)])).toEqual(going?.map(() => [false, true]));
});

describe("the API's answer to a create", () => {
  test("names the snapshot, each API in its own place", () => {
    expect(snapshot.createdId({ snapshot: { id: "one" } })).toBe("one");
    expect(cluster.createdId({ snapshot: { id: "one" } })).toBe("one");
    expect(standard.createdId({ job_id: "job", snapshot_id: "one" })).toBe("one");
    expect(group.createdId({ job_id: "job", snapshot_group_id: "one" })).toBe("one");
  });

  test.each(Object.values(KINDS))("that names none says so: $kind", (kind: Kind) => {
    for (const answer of [{}, { snapshot: null }, { snapshot: "one" }, { snapshot: { id: 1 } }, { id: "one" }]) {
      expect(kind.createdId(answer)).toBeUndefined();
    }
  });

  test("is made up again for a snapshot that an earlier delivery made: of v2 with the fields that its create has", () => {
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

  test("is made up again from the id alone where the API says no more; there is no job any more", () => {
    const one = snapshotOf("one", "disk-1", { raw: { id: "one", job_id: "job" } });
    expect(standard.answer(one)).toEqual({ snapshot_id: "one" });
    expect(group.answer(one)).toEqual({ snapshot_group_id: "one" });
    expect(cluster.answer(one)).toEqual({ snapshot: { id: "one" } });
  });
});

describe("a group is what it and its members are", () => {
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
  ])("%s with %j: %s", (own, members, whole) => {
    expect(stateOf(own, ...members)).toBe(whole);
  });

  test("and has them", () => {
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
  ])("a group in the status %s with members in the states %j seems complete: %s", (status, members, complete) => {
    const read = group.read({ id: "group", status, server_id: "server-1" }) as FoundSnapshot;
    expect(seemsComplete(groupWith(read, members.map(member)))).toBe(complete);
  });
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

  test("a group with a member for each disk keeps its state, whatever the case of the ids", () => {
    const one = whole("a", "b", "c");
    expect(compareWithDisks(one, [{ id: "A" }, { id: "b" }], START, CREATED)).toBe(one);
  });

  test("a group without a member for a disk is failed, and a member without a disk counts for none", () => {
    expect(compared(whole("a"), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(whole("a", undefined), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(whole(), [{ id: "a" }])).toEqual(missing("a"));
  });

  test("a group that lacks a member is creating for 6 s after it was created", () => {
    const stateAfter = (ms: number) => compared(whole("a"), [{ id: "b" }], moment(-ms))[0];
    expect([stateAfter(-60_000), stateAfter(0), stateAfter(5_999), stateAfter(6_000)]).toEqual([
      "creating",
      "creating",
      "creating",
      "failed",
    ]);
  });

  test("a group needs no member for a disk that was attached later, by a credible time", () => {
    const since = (attachedAt: Instant | undefined) => compared(whole("a"), [{ id: "a" }, { id: "b", attachedAt }]);
    expect(since(LATER)).toEqual(["available", undefined]);
    for (const attachedAt of [CREATED, moment(-60_001), undefined, instant(0), moment(3_600_000)]) {
      expect(since(attachedAt), String(attachedAt)).toEqual(missing("b"));
    }
  });

  test("a group needs a member for each disk if its creation time is not known", () => {
    const found = compareWithDisks(whole("a"), [{ id: "a" }, { id: "b", attachedAt: START }], START, undefined);
    expect([found.state, found.stateDetail]).toEqual(missing("b"));
  });

  test("a group is in an unknown state if no disk was attached by the time of its creation", () => {
    for (const disks of [[], [{ id: "a", attachedAt: LATER }]]) {
      expect(compared(whole("a"), disks)).toEqual([
        "unknown",
        "the list of disks shows none that its server had by then",
      ]);
    }
  });
});

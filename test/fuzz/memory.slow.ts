/** Invokes functions in a process with 128 MB of memory. List responses are as large as the functions accept, or larger. */
import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { type Fault, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import { apig, timerEvent } from "../support/environment.ts";
import { KINDS } from "../support/kinds.ts";
import { endpointsAt } from "../support/user-data.ts";
import { endlessFault } from "./big-responses.ts";
import { MAX_PEAK_BYTES } from "./checks.ts";
import { type Invoked, startInstance } from "./instance.ts";
import { addOwnSnapshot, addTaggedResource, TAGS } from "./inventory.ts";
import { createRandomChoices } from "./random.ts";

const MIB = 1024 * 1024;
const START = "2026-11-21T02:00:00Z";

interface InvokeOptions {
  /** The event of each invocation. Default: a valid event for the function. */
  event?: unknown;
  /** How often the function is invoked. Default: 2 times. */
  times?: number;
  remainingMs?: number;
}

/** Invokes a function while one of its calls has a fault. The embedded cloud has one resource and one snapshot of each kind. */
async function invokeWithFault(
  functionName: string,
  operation: string,
  makeFault: () => Fault,
  { event, times = 2, remainingMs = 15_000 }: InvokeOptions = {},
) {
  const clock = new StoppedClock(START);
  const cloud = await startCloud({ clock });
  onTestFinished(() => cloud.close());
  const random = createRandomChoices(functionName);
  const targets = KINDS.map((kind) => ({ kind, resource: addTaggedResource(cloud, kind, random) }));
  for (const target of targets) addOwnSnapshot(cloud, target, { policy: "nightly", hours: 1 });
  const [disk, , server, cluster] = targets.map(({ resource }) => resource);
  const events: Record<string, unknown> = {
    "create-snapshot": { snapshot: { volume_id: disk } },
    "create-standard-snapshot": { snapshot: { volume_id: disk } },
    "create-snapshot-group": { snapshot_group: { server_id: server } },
    "create-cluster-snapshot": { snapshot: { name: "release-7", cluster_id: cluster } },
    "scheduled-snapshots": timerEvent({ policy: "weekly", targets: KINDS.map((kind) => ({ kind, tags: TAGS })) }),
    "pre-deploy": apig({ deployment_id: "release-7", targets: [{ kind: "standard-snapshot", tags: TAGS }] }),
    "verify-snapshots": timerEvent({}),
    "prune-snapshots": timerEvent({ policy: "nightly", retention: { keep_last: 2 } }),
  };
  cloud.fault({ operation }, makeFault());
  const instance = startInstance(functionName, clock.now(), (now) => clock.set(now));
  onTestFinished(() => instance.end());
  const invoke = (requestId: string) =>
    instance.invoke({
      event: event ?? events[functionName],
      remainingMs,
      seed: 1,
      context: {
        requestId,
        timeoutSeconds: 300,
        credentials: cloud.credentials,
        userData: endpointsAt(cloud.url, ["EVS", "DWS", "ECS"]),
        projectId: cloud.projectId,
      },
    });
  const invoked: Invoked[] = [];
  for (let time = 1; time <= times; time += 1) invoked.push(await invoke(`request-${time}`));
  const mib = invoked.map(({ peakBytes }) => Math.round(peakBytes / MIB));
  expect(invoked.map(({ lost }) => lost)).toEqual(invoked.map(() => undefined));
  expect(Math.max(...invoked.map(({ tookMs }) => tookMs))).toBeLessThanOrEqual(remainingMs);
  expect(Math.max(...mib), `${mib} MiB`).toBeLessThan(MAX_PEAK_BYTES / MIB);
  const [first] = invoked;
  return { outcomes: (first?.stdout ?? []).map((line) => JSON.parse(line).outcome as string), cloud };
}

/** Returns JSON of at most `bytes` bytes: `open`, then as many units as fit, then `close`. */
function fillJson(bytes: number, open: string, unit: (index: number) => string, close: string): string {
  const units: string[] = [];
  let size = open.length + close.length - 1;
  for (let index = 0; ; index += 1) {
    const next = unit(index);
    size += Buffer.byteLength(next) + 1;
    if (size > bytes) return open + units.join() + close;
    units.push(next);
  }
}

/** Returns a row of a DWS list response: a snapshot whose description identifies it as created by this project. */
const clusterSnapshot = (index: number) =>
  JSON.stringify({
    id: randomUUID(),
    name: `nightly-20261121T010000Z-\u{1f4be}-${index}`,
    description: `managed-by:snapshot-functions policy:nightly key:${index.toString(16).padStart(32, "0")} content:00000000`,
    started: "2026-10-21T01:00:00Z",
    finished: "2026-10-21T01:05:00Z",
    size: 500.5,
    status: "AVAILABLE",
    cluster_id: "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    type: "MANUAL",
    datastore: { type: "dws", version: "8.2.0" },
    cluster_name: "warehouse",
    bak_expected_start_time: "2026-10-21T01:00:00Z",
    bak_keep_day: 3,
    bak_period: "* * *",
    db_user: "dbadmin",
    progress: "100",
  });

const sent = (body: string): Fault => ({ type: "status", status: 200, body });

/** Maps a description of a response body to a function that builds the body with at most the given number of bytes. */
const BODIES: Record<string, (bytes: number) => string> = {
  "one string": (bytes) => `{"padding":"${"x".repeat(bytes - 14)}"}`,
  "one object with many fields": (bytes) => fillJson(bytes, "{", (index) => `"n${index}":{"a":0}`, "}"),
  "many empty rows": (bytes) => fillJson(bytes, '{"snapshots":[', () => "{}", "]}"),
  "one row with many fields": (bytes) => fillJson(bytes, '{"snapshots":[{', (index) => `"n${index}":{"a":0}`, "}]}"),
  "many numbers": (bytes) => fillJson(bytes, "[", () => "0", "]"),
};

test.each(Object.entries(BODIES))(
  "create-snapshot and verify-snapshots use less than 110 MiB of memory if a large list response consists of %s",
  { timeout: 60_000 },
  async (_shape, make) => {
    await invokeWithFault("create-snapshot", "evs.listSnapshots", () => sent(make(4 * MIB - 10)));
    await invokeWithFault("verify-snapshots", "dws.listSnapshots", () => sent(make(16 * MIB - 10)));
  },
);

test("verify-snapshots uses less than 110 MiB of memory to read a DWS list response of 16 MiB", {
  timeout: 60_000,
}, async () => {
  const old = fillJson(16 * MIB - 2_000, '{"count":null,"snapshots":[', clusterSnapshot, "]}");
  const last = old.lastIndexOf('{"id"');
  const list = old.slice(0, last) + old.slice(last).replaceAll("2026-10", "2026-11");
  expect(list.split('"progress"').length).toBeGreaterThan(20_000);
  const { outcomes } = await invokeWithFault("verify-snapshots", "dws.listSnapshots", () => sent(list));
  // Four snapshots are recent: the last row of the list response, and the three EVS snapshots of the embedded cloud.
  expect(outcomes).toEqual(["available", "available", "available", "available", "done"]);
});

test("verify-snapshots reports 25,000 duplicates of one snapshot within 8 s of CPU time", {
  timeout: 60_000,
}, async () => {
  const row = (index: number) =>
    clusterSnapshot(index)
      .replaceAll("2026-10", "2026-11")
      .replace(/key:[0-9a-f]{32}/, `key:${"a".repeat(32)}`);
  const list = `{"snapshots":[${Array.from({ length: 25_000 }, (_, index) => row(index)).join()}]}`;
  const under = { remainingMs: 8_000, times: 1 };
  const { outcomes } = await invokeWithFault("verify-snapshots", "dws.listSnapshots", () => sent(list), under);
  expect(outcomes.filter((outcome) => outcome === "available").length).toBeGreaterThan(25_000);
});

test("create-cluster-snapshot uses less than 110 MiB of memory to read a DWS list response of 16 MiB", {
  timeout: 60_000,
}, async () => {
  const list = fillJson(16 * MIB - 10, '{"snapshots":[', clusterSnapshot, "]}");
  const { outcomes, cloud } = await invokeWithFault("create-cluster-snapshot", "dws.listSnapshots", () => sent(list));
  expect(outcomes[0]).toBe("accepted");
  expect(cloud.snapshots("cluster-snapshot").filter(({ name }) => name === "release-7")).toHaveLength(1);
});

/** Returns an EVS list response of disks that have the selected tags but do not exist. */
const missingDisks = (count: number) => {
  const disk = (index: number) =>
    JSON.stringify({ id: randomUUID(), name: `data-${index}`, status: "in-use", tags: TAGS });
  return `{"count":${count},"volumes":[${Array.from({ length: count }, (_, index) => disk(index)).join()}]}`;
};

test("pre-deploy uses less than 110 MiB of memory if 5,000 selected disks do not exist", {
  timeout: 60_000,
}, async () => {
  const { outcomes } = await invokeWithFault("pre-deploy", "evs.listVolumes", () => sent(missingDisks(5_000)), {
    times: 1,
  });
  expect(outcomes.filter((outcome) => outcome === "failed").length).toBeGreaterThanOrEqual(5_000);
});

/** Returns a DWS list response of clusters that have the selected tags but do not exist. */
const missingClusters = (count: number) => {
  const cluster = (index: number) =>
    JSON.stringify({ id: randomUUID(), name: `warehouse-${index}`, tags: [{ key: "backup", value: "daily" }] });
  return `{"clusters":[${Array.from({ length: count }, (_, index) => cluster(index)).join()}]}`;
};

test("scheduled-snapshots uses less than 110 MiB of memory if its deadline passes before it processes 10,000 selected clusters", {
  timeout: 60_000,
}, async () => {
  const list = missingClusters(10_000);
  const under = { remainingMs: 2_500, times: 3 };
  const { outcomes } = await invokeWithFault("scheduled-snapshots", "dws.listClusters", () => sent(list), under);
  expect(outcomes.filter((outcome) => outcome === "failed").length).toBeGreaterThanOrEqual(10_000);
});

test("if a policy selects 10,241 clusters, scheduled-snapshots creates no cluster snapshots but still creates disk snapshots", {
  timeout: 60_000,
}, async () => {
  const list = missingClusters(10_241);
  const { outcomes } = await invokeWithFault("scheduled-snapshots", "dws.listClusters", () => sent(list), { times: 1 });
  expect(outcomes.filter((outcome) => outcome === "failed")).toHaveLength(2);
  expect(outcomes).toContain("accepted");
});

test("prune-snapshots deletes nothing if a list response contains more than 10,240 snapshots that no later list response contains", {
  timeout: 60_000,
}, async () => {
  const list = fillJson(7 * MIB, '{"snapshots":[', clusterSnapshot, "]}");
  expect(list.split('"progress"').length).toBeGreaterThan(10_241);
  const { outcomes } = await invokeWithFault("prune-snapshots", "dws.listSnapshots", () => sent(list), { times: 1 });
  expect(outcomes.filter((outcome) => outcome === "failed").length).toBeGreaterThan(10_241);
  expect(outcomes).not.toContain("deleted");
});

/** Returns a fault that makes a list endless: each page has new rows, so the function has to request another page. */
const createEndlessFault = (operation: string): Fault =>
  endlessFault({ random: createRandomChoices("endless"), ids: [], secrets: {}, operation }).fault;

test.each([
  ["create-snapshot", "evs.listSnapshots"],
  ["create-snapshot-group", "evs.listSnapshotGroups"],
  ["create-snapshot-group", "evs.listStandardSnapshots"],
  ["scheduled-snapshots", "evs.listVolumes"],
  ["verify-snapshots", "evs.listSnapshots"],
])(
  "%s fails and uses less than 110 MiB of memory if every page of %s is followed by another page",
  { timeout: 120_000 },
  async (functionName, operation) => {
    const { outcomes } = await invokeWithFault(functionName, operation, () => createEndlessFault(operation), {
      times: 1,
    });
    expect(outcomes).toContain("failed");
  },
);

test("scheduled-snapshots fails and uses less than 110 MiB of memory if its event is redelivered and every page of snapshots is followed by another page", {
  timeout: 120_000,
}, async () => {
  const operation = "evs.listStandardSnapshots";
  const policy = { policy: "nightly", targets: [{ kind: "standard-snapshot", tags: TAGS }] };
  // The existing snapshot was created at the time of this event, so the event is a redelivery.
  const event = timerEvent(policy, "2026-11-21T01:00:00Z");
  const under = { event, times: 1, remainingMs: 20_000 };
  const { outcomes } = await invokeWithFault(
    "scheduled-snapshots",
    operation,
    () => createEndlessFault(operation),
    under,
  );
  expect(outcomes).toContain("failed");
});

/** Maps each function to the events that it receives in one instance, and to what a user expects after each of them. */
import assert from "node:assert/strict";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { createBody, KIND_FACTS, type Kind } from "../support/kinds.ts";
import { seedSnapshot } from "../support/retention-seeds.ts";
import { cts, eventGrid, get, post, timer } from "./events.ts";
import { type Outcome, outcomesOf, readHttp, readResult } from "./responses.ts";

export const HOUR_MS = 3_600_000;
export const TAGS = { backup: "daily" };

export interface Step {
  title: string;
  event: unknown;
  /** True if LTS does not respond, so only the log of the platform receives the records. */
  isTopicLost?: boolean;
  check(outcome: Outcome): void;
}

export type FunctionCase = (cloud: EmbeddedCloud) => Step[];

/** Returns an assertion that the embedded cloud contains this many snapshots of a kind. */
const expectSnapshots = (cloud: EmbeddedCloud, kind: Kind, count: number) =>
  assert.equal(cloud.snapshots(kind).length, count, `the cloud has ${count} snapshots of the kind ${kind}`);

/** Adds the resource of a kind of snapshot. A server has two disks. */
export function addTarget(cloud: EmbeddedCloud, kind: Kind): string {
  const { idField } = KIND_FACTS[kind];
  if (idField === "cluster_id") return cloud.addCluster().id;
  if (idField === "volume_id") return cloud.addVolume({ tags: TAGS }).id;
  const server = cloud.addServer();
  for (let disks = 0; disks < 2; disks += 1) cloud.addVolume({ serverId: server.id });
  return server.id;
}

/** The steps of a function that creates one snapshot. */
const createCase =
  (kind: Kind): FunctionCase =>
  (cloud) => {
    const resources = [addTarget(cloud, kind), addTarget(cloud, kind)] as const;
    const [first, second] = resources.map((id, index) => createBody(kind, id, { name: `release-${index}` }));
    const request = post(first, { "idempotency-key": "release-0" });
    const check = (expected: string) => (outcome: Outcome) => {
      const { status, headers, body } = readHttp(outcome);
      assert.ok(status === 200 || status === 202, `the status is ${status}`);
      assert.equal(headers["x-snapshot-outcome"], expected);
      const id = body.snapshot_id ?? body.snapshot_group_id ?? body.snapshot.id;
      assert.deepEqual(
        cloud.snapshots(kind).map((one) => one.id),
        [id],
      );
      assert.deepEqual(outcomesOf(outcome), [expected]);
    };
    return [
      { title: "an HTTP request", event: request, check: check("accepted") },
      { title: "the same HTTP request again", event: request, check: check("existing") },
      {
        title: "a direct invocation",
        event: second,
        check(outcome) {
          assert.equal(typeof readResult(outcome), "object");
          expectSnapshots(cloud, kind, 2);
          assert.deepEqual(outcomesOf(outcome), ["accepted"]);
        },
      },
      {
        title: "an HTTP request with a wrong field",
        event: post(createBody(kind, "not-an-id")),
        check(outcome) {
          const { status, body } = readHttp(outcome);
          assert.deepEqual([status, body.error.reason], [400, "InvalidRequest"]);
          expectSnapshots(cloud, kind, 2);
        },
      },
      {
        title: "a direct invocation with a wrong field",
        event: createBody(kind, "not-an-id"),
        check({ invoked }) {
          assert.equal(invoked.error?.errorType, "InvalidRequest");
          expectSnapshots(cloud, kind, 2);
        },
      },
    ];
  };

const diskAttached: FunctionCase = (cloud) => {
  const server = cloud.addServer();
  const [first, second] = [cloud.addVolume({ serverId: server.id }), cloud.addVolume({ serverId: server.id })];
  const trace = cts(server.id, first.id);
  const check = (expected: string, count: number) => (outcome: Outcome) => {
    assert.deepEqual(readResult(outcome).outcomes, { [expected]: 1 });
    assert.deepEqual(outcomesOf(outcome), [expected]);
    assert.equal(cloud.snapshots().length, count);
  };
  return [
    { title: "a CTS event", event: trace, check: check("accepted", 1) },
    { title: "the same CTS event again", event: trace, check: check("existing", 1) },
    { title: "an EventGrid event", event: eventGrid(server.id, second.id), check: check("accepted", 2) },
  ];
};

const KINDS = Object.keys(KIND_FACTS) as Kind[];
/** Adds a resource for each kind, and returns the targets of a policy that select them. */
const addTargets = (cloud: EmbeddedCloud) =>
  KINDS.map((kind) => ({ kind, [KIND_FACTS[kind].idsField]: [addTarget(cloud, kind)] }));

const scheduledSnapshots: FunctionCase = (cloud) => {
  const event = timer({ policy: "nightly", targets: addTargets(cloud) });
  const check = (expected: string) => (outcome: Outcome) => {
    assert.deepEqual(readResult(outcome).outcomes, { [expected]: 4 });
    assert.deepEqual(outcomesOf(outcome), Array(4).fill(expected));
    for (const kind of ["snapshot", "snapshot-group", "cluster-snapshot"] as const) expectSnapshots(cloud, kind, 1);
  };
  return [
    { title: "a timer event", event, check: check("accepted") },
    { title: "the same timer event again", event, check: check("existing") },
  ];
};

const preDeploy: FunctionCase = (cloud) => {
  const event = post({ deployment_id: "release-7", targets: addTargets(cloud), wait_seconds: 20 });
  let ids: unknown;
  const check = (outcome: Outcome) => {
    const { status, body } = readHttp(outcome);
    assert.deepEqual([status, body.status, body.snapshots.length], [200, "ready", 4]);
    const found = body.snapshots.map((one: { snapshot_id: string }) => one.snapshot_id);
    ids ??= found;
    assert.deepEqual(found, ids, "the second response names the same snapshots");
    assert.deepEqual(outcomesOf(outcome), Array(4).fill("available"));
  };
  return [
    { title: "an HTTP request", event, check },
    { title: "the same HTTP request again", event, check },
  ];
};

const verifySnapshots: FunctionCase = (cloud) => {
  const now = Date.now();
  for (const kind of KINDS) seedSnapshot(cloud, kind, addTarget(cloud, kind), { at: now - HOUR_MS });
  seedSnapshot(cloud, "snapshot", addTarget(cloud, "snapshot"), { at: now - HOUR_MS, status: "error" });
  const event = timer({});
  const check = (outcome: Outcome) => {
    assert.deepEqual(readResult(outcome).outcomes, { available: 4, failed: 1 });
    assert.deepEqual(outcomesOf(outcome), [...Array(4).fill("available"), "failed"]);
  };
  return [
    { title: "a timer event", event, check },
    { title: "the same timer event again", event, check },
  ];
};

const pruneSnapshots: FunctionCase = (cloud) => {
  const disk = addTarget(cloud, "snapshot");
  const ages = [1, 25, 49, 73, 97];
  const ids = ages.map((hours) => seedSnapshot(cloud, "snapshot", disk, { at: Date.now() - hours * HOUR_MS }).id);
  const event = timer({ policy: "nightly", retention: { keep_last: 2 } });
  const check = (deleted: number) => (outcome: Outcome) => {
    readResult(outcome);
    assert.equal(outcomesOf(outcome).filter((one) => one === "deleted").length, deleted);
    assert.deepEqual(
      cloud
        .snapshots("snapshot")
        .filter(({ status }) => status === "available")
        .map(({ id }) => id)
        .sort(),
      ids.slice(0, 2).sort(),
    );
  };
  return [
    { title: "a timer event", event, check: check(3) },
    { title: "the same timer event again", event, check: check(0) },
  ];
};

const reportCoverage: FunctionCase = (cloud) => {
  const covered = addTarget(cloud, "snapshot");
  addTarget(cloud, "snapshot");
  seedSnapshot(cloud, "snapshot", covered, { at: Date.now() - HOUR_MS });
  const checkText = (type: string, pattern: RegExp) => (outcome: Outcome) => {
    const { status, headers, text } = readHttp(outcome);
    assert.deepEqual([status, headers["content-type"]?.split(";")[0]], [200, type]);
    assert.match(text, pattern);
  };
  return [
    {
      title: "an HTTP request for JSON",
      event: get({ max_age_hours: "26" }),
      check(outcome) {
        const { status, body } = readHttp(outcome);
        assert.deepEqual([status, body.complete, body.counts.protected, body.counts.unprotected], [200, true, 1, 1]);
      },
    },
    {
      title: "an HTTP request for HTML",
      event: get({}, { accept: "text/html" }),
      check: checkText("text/html", /<!doctype html>/i),
    },
    {
      title: "an HTTP request for CSV",
      event: get({ format: "csv" }),
      check: checkText("text/csv", new RegExp(covered)),
    },
    {
      title: "a timer event",
      event: timer({}),
      check(outcome) {
        const { protected: covered, unprotected } = readResult(outcome).outcomes;
        assert.deepEqual([covered, unprotected], [1, 1]);
        // The function writes records only for resources that are not protected.
        assert.deepEqual(outcomesOf(outcome), ["unprotected"]);
      },
    },
  ];
};

export const CASES: Readonly<Record<string, FunctionCase>> = {
  "create-cluster-snapshot": createCase("cluster-snapshot"),
  "create-snapshot": createCase("snapshot"),
  "create-snapshot-group": createCase("snapshot-group"),
  "create-standard-snapshot": createCase("standard-snapshot"),
  "disk-attached": diskAttached,
  "pre-deploy": preDeploy,
  "prune-snapshots": pruneSnapshots,
  "report-coverage": reportCoverage,
  "scheduled-snapshots": scheduledSnapshots,
  "verify-snapshots": verifySnapshots,
};

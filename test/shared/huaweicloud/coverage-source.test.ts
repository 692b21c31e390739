/** Collects coverage reports of the embedded cloud over HTTP. */
import { describe, expect, test } from "vitest";
import type { CloudOptions } from "../../../infra/local/cloud/index.ts";
import { instant } from "../../../shared/core/instant.ts";
import { type CoverageOptions, collectCoverage } from "../../../shared/coverage/collect.ts";
import { createCoverageSource } from "../../../shared/huaweicloud/coverage-source.ts";
import type { DeployedPolicies } from "../../../shared/snapshots/deployed-policies.ts";
import { START, startTestCloud } from "../../support/cloud-environment.ts";
import { statesIn } from "../../support/coverage.ts";
import { connectionTo } from "../../support/wire.ts";

/** The body of a list response. */
// biome-ignore lint/suspicious/noExplicitAny: the tests change fields of any type
type Body = any;

const NOW = instant(Date.parse(START));
const hoursAgo = (hours: number) => new Date(NOW - hours * 3_600_000);

/** Starts an embedded cloud. The returned function `collect` collects its coverage report. */
async function startCloudWithReport(options: Omit<CloudOptions, "clock"> = {}) {
  const { cloud } = await startTestCloud(options);
  const connection = connectionTo(cloud.url, {
    credentials: { token: cloud.credentials.token ?? "" },
    projectId: cloud.projectId,
  });
  const time = { now: connection.now, sleep: async () => {}, random: () => 0 };
  const collect = (changes: Partial<CoverageOptions> = {}, deployed?: DeployedPolicies) =>
    collectCoverage(
      { now: NOW, maxAgeHours: 26, types: ["volume", "cluster"], tags: [], excludeTags: [], ...changes },
      createCoverageSource(connection, { retryBudget: { time, deadline: connection.deadline }, deployed }),
    );
  return { cloud, collect };
}

const ids = (count: number) =>
  Array.from({ length: count }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`);
const [A = "", B = "", C = "", D = "", GONE = ""] = ids(5);

describe("the coverage report of the embedded cloud", () => {
  test("the report covers disks, clusters and snapshots of all kinds and of all enterprise projects, and needs only GET requests", async () => {
    const { cloud, collect } = await startCloudWithReport();
    const server = cloud.addServer();
    cloud.addVolume({ id: A, name: "data", size: 40, tags: { backup: "daily" }, serverId: server.id });
    cloud.addVolume({ id: B, enterpriseProjectId: "ep-1" });
    cloud.addVolume({ id: C });
    cloud.addVolume({ id: D });
    const cluster = cloud.addCluster({ name: "warehouse", tags: { team: "web" }, enterpriseProjectId: "ep-2" });
    cloud.addSnapshot({ kind: "snapshot", volumeId: B, createdAt: hoursAgo(3) });
    cloud.addSnapshot({ kind: "standard-snapshot", volumeId: C, createdAt: hoursAgo(53) });
    const group = cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id, createdAt: hoursAgo(2) });
    cloud.addSnapshot({ kind: "standard-snapshot", volumeId: GONE, createdAt: hoursAgo(400) });
    cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cluster.id, createdAt: hoursAgo(4), type: "AUTO" });

    const report = await collect();
    expect([report.complete, report.faults]).toEqual([true, []]);
    expect(statesIn(report)).toEqual([
      `${A} protected`,
      `${B} protected`,
      `${C} stale`,
      `${D} unprotected`,
      `${cluster.id} protected`,
    ]);
    const [disk, , , , warehouse] = report.resources;
    expect(disk).toMatchObject({ name: "data", sizeGb: 40, serverIds: [server.id], tags: { backup: "daily" } });
    expect(disk?.newest).toMatchObject({ kind: "snapshot-group", groupId: group.id, created: NOW - 2 * 3_600_000 });
    expect(warehouse).toMatchObject({ name: "warehouse", serverIds: [], tags: { team: "web" } });
    expect(report.orphans.map(({ resourceId }) => resourceId)).toEqual([GONE]);
    expect(new Set(cloud.requests.map(({ method }) => method))).toEqual(new Set(["GET"]));
    expect(cloud.refusedSignatures).toEqual([]);
  });

  test("the report is complete and counts each snapshot once if the pages have only two rows and the lists contain a count", async () => {
    const { cloud, collect } = await startCloudWithReport({ pageCap: 2, v5ListCount: true });
    for (const id of ids(7)) {
      cloud.addVolume({ id });
      cloud.addSnapshot({ kind: "snapshot", volumeId: id, createdAt: hoursAgo(2) });
      cloud.addSnapshot({ kind: "standard-snapshot", volumeId: id, createdAt: hoursAgo(3) });
    }
    const report = await collect();
    expect([report.complete, report.counts.protected]).toEqual([true, 7]);
    expect(report.resources.map(({ good }) => good)).toEqual(new Array(7).fill(2));
  });

  test.each([
    ["evs.listVolumes"],
    ["evs.listSnapshots"],
    ["evs.listStandardSnapshots"],
    ["evs.listSnapshotGroups"],
    ["dws.listClusters"],
    ["dws.listSnapshots"],
  ])("a request of %s that fails once is repeated, and no row counts twice", async (operation) => {
    const { cloud, collect } = await startCloudWithReport({ pageCap: 2 });
    const cluster = cloud.addCluster();
    for (const id of ids(4)) {
      cloud.addVolume({ id });
      cloud.addSnapshot({ kind: "snapshot", volumeId: id, createdAt: hoursAgo(2) });
      cloud.addSnapshot({ kind: "snapshot-group", volumeIds: [id], createdAt: hoursAgo(2) });
    }
    cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cluster.id, createdAt: hoursAgo(2) });
    const isPaged = operation.startsWith("evs.");
    cloud.fault({ operation, nth: isPaged ? 2 : 1 }, { type: "status", status: 503 });
    const report = await collect();
    expect([report.complete, report.counts.protected]).toEqual([true, 5]);
    expect(report.resources.map(({ good }) => good)).toEqual([2, 2, 2, 2, 1]);
    expect(cloud.count(operation, 503)).toBe(1);
  });

  test("a region without standard snapshots and groups has a complete report if the deployed policies use neither", async () => {
    const { cloud, collect } = await startCloudWithReport();
    cloud.addVolume({ id: A });
    const absent = {
      type: "status",
      status: 404,
      body: { error_code: "APIGW.0101", error_msg: "The API does not exist" },
    } as const;
    cloud.fault({ path: /\/v5\// }, absent);
    const deployed = (kinds: string[]) => new Map([["nightly", { kinds }]]);
    expect(statesIn(await collect({ types: ["volume"] }, deployed(["snapshot"])))).toEqual([`${A} unprotected`]);
    expect(statesIn(await collect({ types: ["volume"] }, deployed(["snapshot-group"])))).toEqual([`${A} unknown`]);
    expect(statesIn(await collect({ types: ["volume"] }))).toEqual([`${A} unknown`]);
  });

  /** Changes each response of an operation. */
  const edit = (change: (body: Body) => void) =>
    ({
      type: "edit",
      edit: (body: Body) => {
        change(body);
        return body;
      },
    }) as const;

  test.each([
    ["snapshots", "evs.listSnapshots", "snapshots"],
    ["disks", "evs.listVolumes", "volumes"],
  ])(
    "a list of %s that lacks rows counts as incomplete, even if the count in the list changes between two pages",
    async (_, operation, rows) => {
      const { cloud, collect } = await startCloudWithReport();
      for (const id of ids(14)) {
        cloud.addVolume({ id });
        cloud.addSnapshot({ kind: "snapshot", volumeId: id, createdAt: hoursAgo(2) });
      }
      let count = 14;
      let kept: string[] | undefined;
      const lessRows = edit((body) => {
        // The later pages overlap the last of these rows.
        kept ??= body[rows].slice(0, 5).map(({ id }: Body) => id);
        body[rows] = body[rows].filter(({ id }: Body) => kept?.includes(id));
        count = 29 - count;
        body.count = count;
      });
      cloud.fault({ operation }, lessRows);
      const result = await collect({ types: ["volume"] }).catch((error: unknown) => error);
      expect(result).toMatchObject(
        operation === "evs.listVolumes"
          ? { reason: "BadResponse" }
          : { complete: false, faults: [expect.stringContaining("read only 5 rows: the service counts 14.")] },
      );
    },
  );

  test("a list with 9 rows counts as complete if the first page states a count of 9 and the next page a higher count", async () => {
    const { cloud, collect } = await startCloudWithReport({ pageCap: 5 });
    for (const id of ids(9)) cloud.addVolume({ id });
    let count = 8;
    cloud.fault(
      { operation: "evs.listVolumes" },
      edit((body) => {
        count += 1;
        body.count = count;
      }),
    );
    const { complete, resources } = await collect({ types: ["volume"] });
    expect([complete, resources.length]).toEqual([true, 9]);
  });

  test("a snapshot that fails before it is listed again on the next page counts as failed once", async () => {
    const { cloud, collect } = await startCloudWithReport({ pageCap: 2 });
    for (const id of ids(3)) {
      cloud.addVolume({ id });
      cloud.addSnapshot({ kind: "standard-snapshot", volumeId: id, createdAt: hoursAgo(2) });
    }
    cloud.fault(
      { operation: "evs.listStandardSnapshots", nth: 2 },
      edit((body) => {
        body.snapshots[0].status = "error";
      }),
    );
    const { counts, resources } = await collect({ types: ["volume"] });
    expect(counts).toMatchObject({ protected: 2, failing: 1 });
    expect(resources.map(({ good, failed }) => good + failed)).toEqual([1, 1, 1]);
  });

  test("spaces around the id of a disk are ignored, and a snapshot with an invalid disk id is a snapshot without a disk id", async () => {
    const { cloud, collect } = await startCloudWithReport();
    for (const id of [A, B, C]) {
      cloud.addVolume({ id });
      cloud.addSnapshot({ kind: "snapshot", volumeId: id, createdAt: hoursAgo(2) });
    }
    cloud.fault(
      { operation: "evs.listSnapshots" },
      edit(({ snapshots }) => {
        for (const snapshot of snapshots) {
          if (snapshot.volume_id === A) snapshot.volume_id = ` ${A} `;
          if (snapshot.volume_id === B) snapshot.volume_id = "../disks";
        }
      }),
    );
    const { orphans, ...report } = await collect({ types: ["volume"] });
    expect(statesIn({ ...report, orphans })).toEqual([`${A} protected`, `${B} unknown`, `${C} protected`]);
    expect([orphans, report.notices.length]).toEqual([[], 1]);
  });

  test.each([
    [undefined, true],
    [null, true],
    ["backup=daily", true],
    [[null], true],
    [[{ key: "backup", value: null }], true],
    [{ backup: { value: "daily" } }, true],
    [{}, false],
    [[], false],
    [{ backup: 5 }, false],
    [["backup=none"], false],
  ])(
    "if tags select the disks, the report contains a disk whose field tags is %j in the state unknown: %j",
    async (tags, isListed) => {
      const { cloud, collect } = await startCloudWithReport();
      cloud.addVolume({ id: A });
      cloud.fault(
        { operation: "evs.listVolumes" },
        edit(({ volumes }) => {
          for (const volume of volumes) volume.tags = tags;
        }),
      );
      const report = await collect({ types: ["volume"], tags: [{ key: "backup", value: "daily" }] });
      expect(statesIn(report)).toEqual(isListed ? [`${A} unknown`] : []);
    },
  );

  test("two clusters with one snapshot each have the state unknown if both snapshots have an empty id", async () => {
    const { cloud, collect } = await startCloudWithReport();
    for (const { id } of [cloud.addCluster(), cloud.addCluster()])
      cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: id, createdAt: hoursAgo(2) });
    cloud.fault(
      { operation: "dws.listSnapshots" },
      edit((body) => {
        for (const snapshot of body.snapshots) snapshot.id = "";
        // With a count, the list would be incomplete if a row were missing.
        body.count = undefined;
      }),
    );
    expect((await collect({ types: ["cluster"] })).counts).toMatchObject({ unknown: 2, unprotected: 0 });
  });

  test("the report is incomplete if the endpoint does not offer the second page of a list", async () => {
    const { cloud, collect } = await startCloudWithReport({ pageCap: 2 });
    for (const id of ids(4)) {
      cloud.addVolume({ id });
      cloud.addSnapshot({ kind: "standard-snapshot", volumeId: id, createdAt: hoursAgo(2) });
    }
    const body = { error_code: "APIGW.0101", error_msg: "The API does not exist" };
    cloud.fault({ operation: "evs.listStandardSnapshots", nth: 2 }, { type: "status", status: 404, body });
    const { complete, counts } = await collect({ types: ["volume"] }, new Map());
    expect([complete, counts.protected, counts.unknown]).toEqual([false, 2, 2]);
  });
});

import { describe, expect, test } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { createFixture, LISTS, reportIn, statesIn } from "../support/coverage-fixture.ts";
import { type Any, errorOf } from "../support/environment.ts";

const FORBIDDEN = { type: "status", status: 403 } as const;

/** Creates a test environment with protected and unprotected disks and clusters, and an orphaned snapshot. */
async function createProject() {
  const fixture = await createFixture();
  const { addDisk, addCluster, cloud } = fixture;
  addDisk("v2", [{ hours: 2 }]);
  addDisk("v5", [{ hours: 2, kind: "standard-snapshot" }]);
  addDisk("empty");
  addDisk("old", [{ hours: 99 }]);
  const server = cloud.addServer();
  cloud.addVolume({ name: "member", serverId: server.id });
  cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id });
  addCluster("warehouse", [2]);
  addCluster("empty-warehouse", []);
  cloud.removeVolume(addDisk("gone", [{ hours: 2 }]).id);
  return fixture;
}

const CLUSTERS = ["empty-warehouse: unprotected", "warehouse: protected"];
const DISKS = ["empty: unprotected", "member: protected", "old: stale", "v2: protected", "v5: protected"];

/** The states of all resources if a list cannot be read. */
const EXPECTED: Record<(typeof LISTS)[number], string[]> = {
  "evs.listVolumes": CLUSTERS,
  "evs.listSnapshots": [
    "empty: unknown",
    "member: protected",
    "old: unknown",
    "v2: unknown",
    "v5: protected",
    ...CLUSTERS,
  ],
  "evs.listStandardSnapshots": [
    "empty: unknown",
    "member: unknown",
    "old: unknown",
    "v2: protected",
    "v5: unknown",
    ...CLUSTERS,
  ],
  "evs.listSnapshotGroups": [
    "empty: unknown",
    "member: unknown",
    "old: unknown",
    "v2: protected",
    "v5: protected",
    ...CLUSTERS,
  ],
  "dws.listClusters": DISKS,
  "dws.listSnapshots": ["empty-warehouse: unknown", "warehouse: unknown", ...DISKS],
};

/** Ways in which a list fails. */
const FAULTS: [string, Fault][] = [
  ["403", FORBIDDEN],
  ["500", { type: "status", status: 500 }],
  ["a truncated body", { type: "cut", after: true }],
  ["HTML instead of JSON", { type: "notJson", after: true, html: true }],
  [
    "404 APIGW.0101",
    { type: "answer", status: 404, body: JSON.stringify({ error_code: "APIGW.0101", error_msg: "No." }) },
  ],
];

describe("a report of report-coverage if a list cannot be read", () => {
  const cases = LISTS.flatMap((list) => FAULTS.map(([what, fault]) => [list, what, fault] as const));

  test.each(cases)(
    "if the list request %s fails (%s), report-coverage marks the report as incomplete, and each listed resource that the failure affects as unknown",
    async (list, _what, fault) => {
      const { cloud, report, get } = await createProject();
      cloud.fault({ operation: list }, fault);
      const variables = { DEPLOYED_POLICIES: undefined };
      const invoked = await get({}, {}, { variables });
      const found = reportIn(invoked);
      expect(statesIn(found)).toEqual(EXPECTED[list].toSorted());
      expect(found.complete).toBe(false);
      expect(found.faults.length).toBeGreaterThanOrEqual(1);
      for (const sentence of found.faults) expect(sentence).toMatch(/^The list of .* could not be read.*\.$/s);
      const isOfDisks = ["evs.listVolumes", "evs.listSnapshots"].includes(list);
      expect(found.counts.orphaned).toBe(isOfDisks ? 0 : 1);
      expect(invoked.records.at(-1)).toMatchObject({ outcome: "done", level: "warn" });
      cloud.clearFaults();
      expect((await report()).complete).toBe(true);
    },
  );

  test("if a list of snapshots is incomplete, report-coverage marks the report as incomplete and trusts only the good snapshots in the list", async () => {
    const { cloud, report } = await createProject();
    // The count says that there are more snapshots than the list contains.
    cloud.fault(
      { operation: "evs.listSnapshots" },
      { type: "edit", edit: (body: Any) => Object.assign(body, { count: 99 }) },
    );
    const found = await report();
    const states = EXPECTED["evs.listSnapshots"].map((state) => (state === "v2: unknown" ? "v2: protected" : state));
    expect([found.complete, statesIn(found)]).toEqual([false, states.toSorted()]);
  });

  test("if the endpoint does not offer a kind of snapshot, the report of report-coverage is complete only if no deployed policy uses this kind", async () => {
    const { cloud, get } = await createProject();
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    for (const operation of ["dws.listClusters", "dws.listSnapshots"]) {
      cloud.fault({ operation }, { type: "answer", status: 404, body });
    }
    const reportWith = async (policies: object) =>
      reportIn(await get({}, {}, { variables: { DEPLOYED_POLICIES: JSON.stringify(policies) } }));
    expect((await reportWith({ nightly: { kinds: ["snapshot"] } })).complete).toBe(true);
    expect((await reportWith({ weekly: { kinds: ["cluster-snapshot"] } })).complete).toBe(false);
  });

  test.each([
    [403, 502, "AccessDenied"],
    [404, 502, "CloudError"],
    [409, 502, "CloudError"],
    [413, 502, "CloudError"],
    [400, 502, "CloudError"],
  ])(
    "if every request that lists resources gets the status %i, report-coverage responds %i with the reason %s",
    async (status, expected, reason) => {
      const { cloud, get, timer } = await createProject();
      cloud.fault({ operation: /list(Volumes|Clusters)/ }, { type: "status", status });
      const invoked = await get();
      expect([invoked.result.statusCode, errorOf(invoked).reason]).toEqual([expected, reason]);
      expect((await timer()).error).toBeDefined();
    },
  );

  test("report-coverage responds 429 with the header Retry-After if the requests that list resources are throttled", async () => {
    const { cloud, get } = await createProject();
    cloud.fault({ operation: /list(Volumes|Clusters)/ }, { type: "throttle", retryAfter: 60 });
    const { result } = await get();
    expect([result.statusCode, result.headers["retry-after"]]).toEqual([429, "60"]);
  });

  test("if a list request gets no response, report-coverage responds with a partial report within 55 s, before the API gateway times out", async () => {
    const { cloud, get, elapsedMs } = await createProject();
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "hang", after: false });
    const found = reportIn(await get({}, {}, { remainingMs: 300_000 }));
    expect(statesIn(found)).toEqual(EXPECTED["evs.listStandardSnapshots"].toSorted());
    expect(elapsedMs()).toBeLessThan(55_000);
  });

  test("no output of report-coverage contains a credential, even if a disk name, a tag or an error message contains this credential", async () => {
    const { cloud, addDisk, get, timer } = await createFixture();
    const { ak, sk, securityToken = "" } = cloud.credentials;
    addDisk(`disk ${sk}`, [], { tags: { key: securityToken.slice(0, 40) } });
    cloud.fault(
      { operation: "evs.listSnapshots" },
      { type: "status", status: 400, body: { error: { code: "EVS.1", message: `bad ${sk} ${ak}` } } },
    );
    for (const invoked of [await get(), await get({ format: "csv" }), await get({ format: "html" }), await timer()]) {
      for (const secret of [sk, securityToken.slice(0, 40)]) expect(invoked.output).not.toContain(secret);
    }
  });
});

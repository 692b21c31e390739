import { describe, expect, test } from "vitest";
import { SnapshotError } from "../../../shared/core/errors.ts";
import {
  CLUSTER_STATES,
  DISK_STATES,
  denied,
  EXCLUDING,
  group,
  member,
  reportOf,
  SAMPLE_PROJECT,
  standard,
  statesIn,
  unsupported,
} from "../../support/coverage.ts";

const UNKNOWN_DISKS = ["excluded excluded", "failing unknown", "never unknown", "old unknown", "young protected"];

describe("a report of incomplete lists", () => {
  test.each(["snapshot", "standard-snapshot", "snapshot-group"] as const)(
    "if the list of %ss fails, a disk that is neither protected nor excluded has the state unknown",
    async (list) => {
      const project = { ...SAMPLE_PROJECT, errors: { [list]: { error: denied(), after: 100 } } };
      const report = await reportOf(project, EXCLUDING);
      expect(statesIn(report)).toEqual([...UNKNOWN_DISKS, ...CLUSTER_STATES]);
      expect(report.resources[2]?.reason).toBe(
        `The list of ${list}s could not be read completely, so a newer snapshot may exist; see the faults of the report. No good snapshot was found.`,
      );
      expect([report.complete, report.faults]).toEqual([
        false,
        [
          `The list of ${list}s could not be read completely, so each disk is unknown unless another snapshot protects it. GET /list: 403. The agency lacks a permission.`,
        ],
      ]);
    },
  );

  test("if the list of cluster snapshots fails, a cluster that is not protected has the state unknown", async () => {
    const errors = { "cluster-snapshot": { error: denied(), after: 1 } };
    expect(statesIn(await reportOf({ ...SAMPLE_PROJECT, errors }, EXCLUDING))).toEqual([
      ...DISK_STATES,
      "cluster-1 protected",
      "cluster-2 unknown",
    ]);
  });

  test("a group does not protect a disk if the list of standard snapshots fails after the good members of the group were read", async () => {
    const rows = [group("g"), member("g", 2), member("g", 2, { volume_id: "disk-2", status: "error" })];
    const errors = { "standard-snapshot": { error: denied(), after: 1 } };
    const types = ["volume"] as const;
    expect(statesIn(await reportOf({ rows, errors }, { types }))).toEqual(["disk-1 unknown"]);
  });

  test("if the list of disks fails, the report contains no disks and no orphaned snapshots of disks", async () => {
    const report = await reportOf({ ...SAMPLE_PROJECT, errors: { volume: { error: denied(), after: 3 } } }, EXCLUDING);
    expect(report.resources.map(({ id }) => id)).toEqual(["cluster-1", "cluster-2"]);
    expect([report.orphans, report.counts.orphaned, report.complete]).toEqual([[], 0, false]);
    expect(report.faults).toEqual([
      "The list of disks could not be read, so the report contains no disks. GET /list: 403. The agency lacks a permission.",
    ]);
  });

  test("collectCoverage rejects with the first error if no list of resources could be read", async () => {
    const errors = { volume: { error: denied() }, cluster: { error: unsupported() } };
    await expect(reportOf({ ...SAMPLE_PROJECT, errors })).rejects.toMatchObject({ reason: "AccessDenied" });
    await expect(reportOf({ ...SAMPLE_PROJECT, errors, unused: ["cluster-snapshot"] })).rejects.toMatchObject({
      reason: "AccessDenied",
    });
  });

  test("a report contains the error behind each of its faults", async () => {
    const errors = { snapshot: { error: denied() }, cluster: { error: unsupported() } };
    const report = await reportOf({ ...SAMPLE_PROJECT, errors });
    expect(report.errors.map((error) => error?.reason)).toEqual(["AccessDenied", "Unsupported"]);
    expect(report.faults).toHaveLength(2);
  });

  test("if the lists of disks and clusters are empty although snapshots exist, the report has a fault for each list and no orphans", async () => {
    const report = await reportOf({ ...SAMPLE_PROJECT, resources: { volume: [], cluster: [] } });
    expect(report.faults).toEqual([
      "The list of disks is empty although 4 snapshots of disks exist: check PROJECT_ID and the rights.",
      "The list of clusters is empty although 1 snapshot of clusters exist: check PROJECT_ID and the rights.",
    ]);
    expect([report.complete, report.orphans, report.counts.orphaned]).toEqual([false, [], 0]);
  });

  test("an empty project has a complete report", async () => {
    const report = await reportOf({ resources: { volume: [], cluster: [] } });
    expect([report.complete, report.faults, report.resources]).toEqual([true, [], []]);
  });

  test("if a row in the list of disks has no valid id, the report is incomplete and contains no orphans", async () => {
    const report = await reportOf({ ...SAMPLE_PROJECT, unreadable: 1 }, { ...EXCLUDING, types: ["volume"] });
    expect(statesIn(report)).toEqual(DISK_STATES);
    expect([report.complete, report.orphans]).toEqual([false, []]);
    expect(report.faults).toEqual([
      "The list of disks has 1 row without a valid id, so the report lacks disks and contains no orphaned snapshots of disks. Check the list in the console.",
    ]);
  });
});

describe("a kind of snapshot that the endpoint does not offer", () => {
  const errors = { "standard-snapshot": { error: unsupported() }, "snapshot-group": { error: unsupported() } };

  test("if nothing in the deployment uses a kind of snapshot that the endpoint does not offer, the report is complete", async () => {
    const report = await reportOf(
      { ...SAMPLE_PROJECT, errors, unused: ["standard-snapshot", "snapshot-group"] },
      EXCLUDING,
    );
    expect(statesIn(report)).toEqual([...DISK_STATES, ...CLUSTER_STATES]);
    expect([report.complete, report.counts.orphaned]).toEqual([true, 1]);
  });

  test("if the deployment uses a kind of snapshot that the endpoint does not offer, the report has a fault for this kind", async () => {
    const report = await reportOf({ ...SAMPLE_PROJECT, errors, unused: ["snapshot-group"] }, EXCLUDING);
    expect(statesIn(report)).toEqual([...UNKNOWN_DISKS, ...CLUSTER_STATES]);
    expect(report.faults).toHaveLength(1);
  });

  test("if the region has no DWS and nothing in the deployment uses cluster snapshots, the report is complete and contains no clusters", async () => {
    const failing = { cluster: { error: unsupported() }, "cluster-snapshot": { error: unsupported() } };
    const report = await reportOf({ ...SAMPLE_PROJECT, errors: failing, unused: ["cluster-snapshot"] }, EXCLUDING);
    expect(statesIn(report)).toEqual(DISK_STATES);
    expect(report.complete).toBe(true);
  });

  test("if the endpoint stops offering a list after some of the rows were read, the report is incomplete", async () => {
    const failing = { "standard-snapshot": { error: unsupported(), after: 1 } };
    const rows = [...SAMPLE_PROJECT.rows, standard(400, { volume_id: "never" })];
    const unused = ["standard-snapshot", "snapshot-group"] as const;
    const report = await reportOf({ ...SAMPLE_PROJECT, rows, errors: failing, unused: [...unused] }, EXCLUDING);
    expect(statesIn(report)).toEqual([...UNKNOWN_DISKS, ...CLUSTER_STATES]);
    expect(report.complete).toBe(false);
  });

  test("if the host of a service is unknown and nothing in the deployment uses the service, the report is complete and has a notice", async () => {
    const noHost = new SnapshotError("CloudError", "GET /v1.0: ENOTFOUND: getaddrinfo ENOTFOUND dws.example.com.");
    const project = { ...SAMPLE_PROJECT, errors: { cluster: { error: noHost } } };
    const report = await reportOf({ ...project, unused: ["cluster-snapshot"] }, EXCLUDING);
    expect([report.complete, statesIn(report)]).toEqual([true, DISK_STATES]);
    expect(report.notices).toEqual([
      "No deployed policy creates a cluster-snapshot, so an unknown host counts as an absent service. GET /v1.0: ENOTFOUND: getaddrinfo ENOTFOUND dws.example.com.",
    ]);
    expect((await reportOf(project, EXCLUDING)).complete).toBe(false);
  });

  test("collectCoverage fails if the endpoint does not offer the list of disks, because every project can have disks", async () => {
    const unused = ["snapshot", "standard-snapshot", "snapshot-group"] as const;
    const failing = { volume: { error: unsupported() } };
    await expect(
      reportOf({ ...SAMPLE_PROJECT, errors: failing, unused: [...unused] }, { types: ["volume"] }),
    ).rejects.toMatchObject({ reason: "Unsupported" });
  });

  test("if the list of a kind of snapshot that nothing uses fails because of a missing permission, the report is incomplete", async () => {
    const failing = { "snapshot-group": { error: denied() } };
    const report = await reportOf({ ...SAMPLE_PROJECT, errors: failing, unused: ["snapshot-group"] }, EXCLUDING);
    expect(report.complete).toBe(false);
  });
});

/** Tests that the steps of the tour fail if a function does not do what the step says about it. */
import { expect, onTestFinished, test } from "vitest";
import type { Host } from "../../../../infra/local/host/index.ts";
import { type LocalSite, startLocalSite } from "../../../../infra/local/site/local-site.ts";
import type { ResultRecord } from "../../../../infra/local/site/records.ts";
import { markerOf, normalizeStatus } from "../../../../infra/local/site/sample-inventory.ts";
import { createPruneStep } from "../../../../infra/local/tour/prune-step.ts";
import { drawRetention } from "../../../../infra/local/tour/retention-view.ts";
import { createTimerStep } from "../../../../infra/local/tour/timer-step.ts";
import { createVerifyStep } from "../../../../infra/local/tour/verify-step.ts";

/** Starts the local site with the sample history. The given function replaces the functions of the project. */
async function startWith(invoke: (site: LocalSite, record: (fields: Partial<ResultRecord>) => void) => object) {
  const site = await startLocalSite({ history: true, onLine: () => {} });
  onTestFinished(() => site.close());
  const records: ResultRecord[] = [];
  const host: Host = {
    ...site.host,
    async invoke(name) {
      const record = (fields: Partial<ResultRecord>) =>
        void records.push({
          version: 1,
          time: "",
          function: name,
          request_id: "r",
          action: "",
          outcome: "",
          ...fields,
        });
      return { function: name, requestId: "r", result: invoke(site, record), cold: false, durationMs: 1 };
    },
  };
  return { ...site, host, records };
}

const nightlyOf = ({ cloud }: LocalSite) =>
  cloud.snapshots().filter((snapshot) => markerOf(snapshot)?.policy === "nightly" && !snapshot.snapshot_group_id);

const prune = createPruneStep({ policy: "nightly", retention: { keep_daily: 7 } }, ["archive"]);

test("the prune step fails if the function wrote records with the outcome deleted, but the snapshots still exist", async () => {
  const site = await startWith((real, record) => {
    for (const { id } of nightlyOf(real)) record({ action: "prune", snapshot_id: id, outcome: "deleted" });
    return {};
  });
  await expect(prune.run(site)).rejects.toThrow(
    /expected a record with the right outcome .* got \d+ records, 0 of them/,
  );
});

test("the prune step fails if the function deleted the newest good snapshots", async () => {
  const site = await startWith((real, record) => {
    for (const { id, status } of nightlyOf(real)) {
      const isGood = normalizeStatus(status) === "available";
      if (isGood) real.cloud.removeSnapshot(id);
      record({ action: "prune", snapshot_id: id, outcome: isGood ? "deleted" : "kept" });
    }
    return {};
  });
  await expect(prune.run(site)).rejects.toThrow(
    /expected the newest available snapshot of each resource to remain, got \d+ del/,
  );
});

test("the prune step fails if a snapshot that a person created is missing afterwards", async () => {
  const site = await startWith((real, record) => {
    for (const { id } of nightlyOf(real)) record({ action: "prune", snapshot_id: id, outcome: "kept" });
    real.cloud.removeSnapshot(real.history?.byHand ?? "");
    return {};
  });
  await expect(prune.run(site)).rejects.toThrow(/expected all \d+ snapshots of others to remain, got 1 deleted/);
});

test("the prune step fails if the function deleted a duplicate and its original", async () => {
  const site = await startWith((real, record) => {
    const { duplicate = "", original = "" } = real.history ?? {};
    for (const { id } of nightlyOf(real)) {
      const isDeleted = id === duplicate || id === original;
      if (isDeleted) real.cloud.removeSnapshot(id);
      const rule = id === duplicate ? `twin of ${original}` : "keep_daily";
      record({ action: "prune", snapshot_id: id, outcome: isDeleted ? "deleted" : "kept", rule });
    }
    return {};
  });
  await expect(prune.run(site)).rejects.toThrow("expected the original of each duplicate to remain, got 1 deleted");
});

test("the verify step fails if the function wrote no record", async () => {
  const site = await startWith(() => ({ outcomes: { available: 38 } }));
  await expect(createVerifyStep().run(site)).rejects.toThrow(
    "expected a record for each snapshot of the last day, got 38 av",
  );
});

test("the verify step fails if the function reported a failed snapshot as available", async () => {
  const site = await startWith((real, record) => {
    for (const { id } of real.cloud.snapshots()) record({ action: "verify", snapshot_id: id, outcome: "available" });
    return {};
  });
  await expect(createVerifyStep().run(site)).rejects.toThrow(/expected the status of each of the \d+ snapshots/);
});

test("the timer step fails if the second delivery of an event creates a snapshot", async () => {
  let deliveries = 0;
  const site = await startWith(({ cloud, inventory }) => {
    deliveries += 1;
    cloud.addSnapshot({ kind: "snapshot", volumeId: inventory.webData });
    return { outcomes: deliveries === 1 ? { accepted: 1 } : { existing: 1 } };
  });
  await expect(createTimerStep({ policy: "nightly", targets: [] }).run(site)).rejects.toThrow(
    "expected 1 existing and no new snapshot from the second delivery, got 1 existing and 1 new snapshot",
  );
});

test("the timeline of a disk has one sign for each decision of prune-snapshots, and a question mark for the outcome unverified", () => {
  const outcomes: [string, string?][] = [
    ["deleted", "kept by no rule"],
    ["deleted", "failed, and a newer good snapshot exists"],
    ["held", "held by its label"],
    ["deleted", "twin of s-1"],
    ["unverified"],
    ["kept", "keep_last"],
  ];
  const snapshots = outcomes.map((_, index) => ({
    kind: "snapshot",
    id: `s-${index}`,
    name: "",
    status: "",
    description: null,
  })) as never;
  const records = outcomes.map(([outcome, rule], index) => [`s-${index}`, { outcome, rule }] as [string, ResultRecord]);
  const [legend, row] = drawRetention(
    [
      { name: "data", snapshots },
      { name: "none", snapshots: [] },
    ],
    new Map(records),
  );
  expect(row).toBe("data .xHD?#");
  expect(legend).toContain("? not known");
});

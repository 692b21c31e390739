/** Tests `passGate` while another process handles the same deployment. */
import { describe, expect, test } from "vitest";
import { changeSnapshot, cloudError, createFixture, STATUS, snapshot } from "../../../support/domain.ts";
import { callGate, callGateWith, DISK_1, DISK_2, snapshotCreatedFor } from "../../../support/pass-gate.ts";

describe("passGate with a concurrent call in another process", () => {
  test("passGate lists the snapshots again before it creates the second snapshot after 10 s, and returns the snapshot that another process created", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
    const calling = callGate(fixture, [DISK_1, DISK_2]);
    await fixture.time.sleep(5_000);
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_2, "theirs", STATUS.creating));
    expect((await calling).outcomes).toEqual(["made-1 accepted", "theirs existing"]);
    expect(fixture.cloud.calls).toEqual([
      "0 s listAll snapshot",
      "0 s create snapshot disk-1",
      "10 s listAll snapshot",
    ]);
  });

  test("passGate lists the snapshots of the disk before it retries after Busy, and returns the snapshot that another process created", async () => {
    const fixture = createFixture({ listDelayMs: 5_000, creates: [{ afterwards: cloudError("Busy") }] });
    fixture.cloud.onNextCalls("listFor", cloudError("CloudError"));
    expect((await callGate(fixture)).outcomes).toEqual(["made-1 existing"]);
    expect(fixture.cloud.calls).toEqual([
      "0 s listAll snapshot",
      "0 s create snapshot disk-1",
      "6 s listFor snapshot disk-1",
      "6 s listFor snapshot disk-1",
    ]);
  });

  test("passGate with retryFailed replaces a failed snapshot that was listed before a Busy error", async () => {
    const fixture = createFixture({ creates: [cloudError("Busy")] });
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", STATUS.failed));
    expect((await callGate(fixture, [DISK_1], { retryFailed: true })).outcomes).toEqual(["made-1 accepted"]);
  });

  test("passGate with retryFailed returns the snapshot with which another process replaced the failed snapshot of disk-2", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_2, "a", STATUS.failed));
    const calling = callGate(fixture, [DISK_1, DISK_2], { retryFailed: true });
    await fixture.time.sleep(5_000);
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_2, "theirs", STATUS.creating));
    expect((await calling).outcomes).toEqual(["made-1 accepted", "theirs existing"]);
  });

  test("passGate with retryFailed replaces a snapshot of disk-2 that fails while the call creates the snapshot of disk-1", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_2, "a", STATUS.creating));
    const calling = callGate(fixture, [DISK_1, DISK_2], { retryFailed: true });
    await fixture.time.sleep(5_000);
    changeSnapshot(fixture.cloud, snapshot, "a", STATUS.failed);
    expect((await calling).outcomes).toEqual(["made-1 accepted", "made-2 accepted"]);
  });

  test("passGate with an option that differs from the option of another process reports Conflict for the target", async () => {
    const other = { ...DISK_1, options: { ...DISK_1.options, force: false } };
    const { progress } = await callGateWith([snapshotCreatedFor(other, "theirs")], [DISK_1]);
    expect(progress).toMatchObject([{ outcome: "failed", error: { reason: "Conflict" } }]);
  });
});

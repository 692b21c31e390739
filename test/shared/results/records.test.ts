import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../shared/results/record.ts";
import { recorded, startRecords } from "../../../shared/results/records.ts";
import { instant } from "../../../shared/snapshots/instant.ts";
import { SnapshotError } from "../../../shared/snapshots/reasons.ts";

function opened(redact = (text: string) => text) {
  let now = Date.parse("2026-11-21T02:00:00Z");
  const printed: string[] = [];
  const fields = { function: "scheduled-snapshots", request_id: "r-1", trigger: "timer" };
  const records = startRecords(
    () => fields,
    () => instant(now),
    (line) => void printed.push(line),
    redact,
  );
  return {
    records,
    fields,
    printed,
    lines: () => printed.map((line) => JSON.parse(line)),
    wait: (ms: number) => {
      now += ms;
    },
  };
}

const target = (id: string) => ({ action: "create", kind: "snapshot", resource_id: id }) as const;

describe("records", () => {
  test("are printed as their targets end, and the run's comes last with the counts", () => {
    const { records, printed, lines, wait } = opened();
    const first = records.begin(target("a"));
    const second = records.begin(target("b"));
    wait(20);
    second({ outcome: "accepted", snapshot_id: "s-b" });
    expect(printed).toHaveLength(1);
    wait(5);
    first({ outcome: "existing", snapshot_id: "s-a" });
    records.close(undefined);
    expect(lines()).toMatchObject([
      { resource_id: "b", outcome: "accepted", duration_ms: 20, time: "2026-11-21T02:00:00.020Z" },
      { resource_id: "a", outcome: "existing", duration_ms: 25 },
      { action: "run", outcome: "done", outcomes: { accepted: 1, existing: 1 }, duration_ms: 25 },
    ]);
  });

  test("end with the run: what is still open gets the run's error, exactly once", () => {
    const { records, lines } = opened();
    const end = records.begin(target("a"));
    records.begin(target("b"));
    end({ outcome: "accepted" });
    records.close(new SnapshotError("DeadlineExceeded", "The time ran out."));
    expect(lines()).toMatchObject([
      { resource_id: "a", outcome: "accepted" },
      { resource_id: "b", outcome: "failed", error: { reason: "DeadlineExceeded", message: "The time ran out." } },
      { action: "run", outcome: "failed", outcomes: { accepted: 1, failed: 1 }, error: { reason: "DeadlineExceeded" } },
    ]);
  });

  test("count the first end of a target and no other", () => {
    const { records, lines } = opened();
    const end = records.begin(target("a"));
    end({ outcome: "accepted" });
    end({ outcome: "failed" });
    records.close(undefined);
    end({ outcome: "failed" });
    expect(lines().map(({ outcome }) => outcome)).toEqual(["accepted", "done"]);
    expect(records.counts()).toEqual({ accepted: 1 });
  });

  test("of a run in which nothing was selected: the run's alone", () => {
    const { records, lines } = opened();
    expect(records.begun).toBe(false);
    records.close(undefined);
    expect(lines()).toMatchObject([{ action: "run", outcome: "done", outcomes: {} }]);
  });

  test("have what becomes known of the run later", () => {
    const { records, fields, lines } = opened();
    Object.assign(fields, { event_time: "2026-11-21T01:59:00.000Z" });
    records.close(undefined);
    expect(lines()[0].event_time).toBe("2026-11-21T01:59:00.000Z");
  });

  test("are redacted before they are printed", () => {
    const { records, printed } = opened((text) => text.replaceAll("secret", "***"));
    records.begin(target("a"))({ outcome: "failed", error: new SnapshotError("CloudError", "the secret") });
    records.close(undefined);
    expect(printed.join()).not.toContain("secret");
  });

  test("do not change when their counts are changed by who was given them", () => {
    const { records, lines } = opened();
    records.begin(target("a"))({ outcome: "accepted" });
    records.close(undefined);
    expect(lines().at(-1).outcomes).toEqual({ accepted: 1 });
  });
});

test("what is remarked on a run is all said, in the order in which it was", () => {
  const { records, lines } = opened();
  records.remark("A tag selects nothing.");
  records.remark("A kind is not offered.");
  records.close(undefined);
  expect(lines()).toMatchObject([
    { action: "run", outcome: "done", level: "warn", detail: "A tag selects nothing. A kind is not offered." },
  ]);
});

describe("the record of a run", () => {
  test("the record of a run is a warning if a target is unverified, and an error if one failed, whatever its detail", () => {
    const levelOf = (outcomes: Outcome[], remark?: string) => {
      const { records, lines } = opened();
      for (const outcome of outcomes) records.begin(target("a"))({ outcome });
      if (remark !== undefined) records.remark(remark);
      records.close(undefined);
      return lines().at(-1).level;
    };
    expect(levelOf(["accepted"])).toBe("info");
    expect(levelOf(["accepted", "unverified"])).toBe("warn");
    expect(levelOf(["accepted"], "A tag selects nothing.")).toBe("warn");
    expect(levelOf(["failed", "unverified"], "A tag selects nothing.")).toBe("error");
  });

  test("the record of a run is a warning if verify finds an unverified snapshot", () => {
    const { records, lines } = opened();
    const error = new SnapshotError("SnapshotFailed", "It ended in error.");
    records.begin({ action: "verify" })({ outcome: "failed", error });
    records.begin({ action: "verify" })({ outcome: "unverified" });
    records.close(undefined);
    expect(lines().at(-1)).toMatchObject({ outcome: "done", level: "warn", outcomes: { failed: 1, unverified: 1 } });
  });
});

describe("recorded work", () => {
  test("ends with what it did, or with what it threw, which is thrown on", async () => {
    const { records, lines } = opened();
    const done = await recorded(records, target("a"), async () => ({ result: 5, end: { outcome: "accepted" } }));
    expect(done).toBe(5);
    const error = new SnapshotError("Busy", "later", { attempts: 3, code: "EVS.2409", status: 409, requestId: "c-1" });
    await expect(recorded(records, target("b"), () => Promise.reject(error))).rejects.toBe(error);
    expect(lines()).toMatchObject([
      { outcome: "accepted" },
      {
        outcome: "failed",
        attempts: 3,
        error: { reason: "Busy", code: "EVS.2409", message: "later", status: 409, request_id: "c-1" },
      },
    ]);
  });

  test("that throws what is none of our errors is a fault of the function, and says so", async () => {
    const { records, lines } = opened();
    const work = recorded(records, target("a"), () => Promise.reject(new TypeError("x is not a function")));
    await expect(work).rejects.toMatchObject({ reason: "CloudError" });
    expect(lines()[0].error.message).toBe("Unexpected fault in the function: TypeError: x is not a function");
  });
});

import { describe, expect, test } from "vitest";
import { SnapshotError } from "../../../shared/core/errors.ts";
import { instant } from "../../../shared/core/instant.ts";
import type { EndFields, Outcome, TargetFields } from "../../../shared/results/record.ts";
import { runWithRecord, startRecords } from "../../../shared/results/records.ts";
import { createRedactor } from "../../../shared/results/redact.ts";

function startTest(redact = (text: string) => text) {
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
  test("each record is printed when it is completed, and the record of the run is printed last", () => {
    const { records, printed, lines, wait } = startTest();
    const first = records.openRecord(target("a"));
    const second = records.openRecord(target("b"));
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

  test("records.close completes every record that is still open as failed with the error of the run", () => {
    const { records, lines } = startTest();
    const complete = records.openRecord(target("a"));
    records.openRecord(target("b"));
    complete({ outcome: "accepted" });
    records.close(new SnapshotError("DeadlineExceeded", "The time ran out."));
    expect(lines()).toMatchObject([
      { resource_id: "a", outcome: "accepted" },
      { resource_id: "b", outcome: "failed", error: { reason: "DeadlineExceeded", message: "The time ran out." } },
      { action: "run", outcome: "failed", outcomes: { accepted: 1, failed: 1 }, error: { reason: "DeadlineExceeded" } },
    ]);
  });

  test("a record is printed only once, even if it is completed several times", () => {
    const { records, lines } = startTest();
    const complete = records.openRecord(target("a"));
    complete({ outcome: "accepted" });
    complete({ outcome: "failed" });
    records.close(undefined);
    complete({ outcome: "failed" });
    expect(lines().map(({ outcome }) => outcome)).toEqual(["accepted", "done"]);
    expect(records.counts()).toEqual({ accepted: 1 });
  });

  test("a run without targets prints only the record of the run", () => {
    const { records, lines } = startTest();
    expect(records.hasTargets).toBe(false);
    records.close(undefined);
    expect(lines()).toMatchObject([{ action: "run", outcome: "done", outcomes: {} }]);
  });

  test("a record contains fields such as event_time, which the function sets after the run has started", () => {
    const { records, fields, lines } = startTest();
    Object.assign(fields, { event_time: "2026-11-21T01:59:00.000Z" });
    records.close(undefined);
    expect(lines()[0].event_time).toBe("2026-11-21T01:59:00.000Z");
  });

  test("records are printed only after redaction", () => {
    const { records, printed } = startTest((text) => text.replaceAll("secret", "***"));
    records.openRecord(target("a"))({ outcome: "failed", error: new SnapshotError("CloudError", "the secret") });
    records.close(undefined);
    expect(printed.join()).not.toContain("secret");
  });

  test("the record of the run contains the number of targets for each outcome", () => {
    const { records, lines } = startTest();
    records.openRecord(target("a"))({ outcome: "accepted" });
    records.close(undefined);
    expect(lines().at(-1).outcomes).toEqual({ accepted: 1 });
  });
});

test("the record of the run contains all notices in order and has the level warn", () => {
  const { records, lines } = startTest();
  records.addNotice("A tag selects nothing.");
  records.addNotice("A kind is not offered.");
  records.close(undefined);
  expect(lines()).toMatchObject([
    { action: "run", outcome: "done", level: "warn", detail: "A tag selects nothing. A kind is not offered." },
  ]);
});

describe("the level of the record of a run", () => {
  test("the record of the run has the level warn after an unverified target or a notice, and the level error after a failed target", () => {
    const levelOf = (outcomes: Outcome[], notice?: string) => {
      const { records, lines } = startTest();
      for (const outcome of outcomes) records.openRecord(target("a"))({ outcome });
      if (notice !== undefined) records.addNotice(notice);
      records.close(undefined);
      return lines().at(-1).level;
    };
    expect(levelOf(["accepted"])).toBe("info");
    expect(levelOf(["accepted", "unverified"])).toBe("warn");
    expect(levelOf(["accepted"], "A tag selects nothing.")).toBe("warn");
    expect(levelOf(["failed", "unverified"], "A tag selects nothing.")).toBe("error");
  });

  test("the record of the run has the level warn and the outcome done if verify finds failed and unverified snapshots", () => {
    const { records, lines } = startTest();
    const error = new SnapshotError("SnapshotFailed", "It ended in error.");
    records.openRecord({ action: "verify" })({ outcome: "failed", error });
    records.openRecord({ action: "verify" })({ outcome: "unverified" });
    records.close(undefined);
    expect(lines().at(-1)).toMatchObject({ outcome: "done", level: "warn", outcomes: { failed: 1, unverified: 1 } });
  });
});

describe("runWithRecord", () => {
  test("runWithRecord writes a record with the outcome of its callback, or writes a failed record and rethrows the callback's error", async () => {
    const { records, lines } = startTest();
    const done = await runWithRecord(records, target("a"), async () => ({ result: 5, end: { outcome: "accepted" } }));
    expect(done).toBe(5);
    const error = new SnapshotError("Busy", "later", { attempts: 3, code: "EVS.2409", status: 409, requestId: "c-1" });
    await expect(runWithRecord(records, target("b"), () => Promise.reject(error))).rejects.toBe(error);
    expect(lines()).toMatchObject([
      { outcome: "accepted" },
      {
        outcome: "failed",
        attempts: 3,
        error: { reason: "Busy", code: "EVS.2409", message: "later", status: 409, request_id: "c-1" },
      },
    ]);
  });

  test("runWithRecord writes a failed record with the reason CloudError if its callback throws a TypeError", async () => {
    const { records, lines } = startTest();
    const work = runWithRecord(records, target("a"), () => Promise.reject(new TypeError("x is not a function")));
    await expect(work).rejects.toMatchObject({ reason: "CloudError" });
    expect(lines()[0].error.message).toBe("Unexpected fault in the function: TypeError: x is not a function");
  });
});

describe("a record with untrusted strings", () => {
  const MB = "x".repeat(1024 * 1024);
  const printRecord = (fields: Record<string, unknown>, error?: SnapshotError, redact?: (text: string) => string) => {
    const { records, printed } = startTest(redact);
    const fieldsOfTarget = { ...target("a"), ...fields } as TargetFields;
    records.openRecord(fieldsOfTarget)({ outcome: "failed", ...(error ? { error } : {}), ...fields } as EndFields);
    records.close(error);
    return printed;
  };

  test("a record truncates very long strings with … at the end, and does not change ids and names of usual length", () => {
    const fields = { resource_id: MB, name: MB, snapshot_id: MB, job_id: MB, policy: MB, rule: MB, detail: MB };
    const error = new SnapshotError("CloudError", MB, { code: MB, requestId: MB, status: 400 });
    for (const line of printRecord({ ...fields, deployment_id: MB }, error)) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(16 * 1024);
      const { error: fault, ...record } = JSON.parse(line);
      expect(fault).toMatchObject({ reason: "CloudError", status: 400 });
      for (const id of [fault.code, fault.request_id]) expect(id).toMatch(/^x{127}…$/);
      expect(fault.message).toMatch(/^x{2999,11999}…$/);
      if (record.action === "run") continue;
      for (const id of ["snapshot_id", "job_id"]) expect(record[id]).toMatch(/^x{127}…$/);
      for (const text of ["name", "policy", "deployment_id"]) expect(record[text]).toMatch(/^x{254}…$/);
      for (const text of ["detail", "rule", "resource_id"]) expect(record[text]).toMatch(/^x{2999}…$/);
    }
    const disks = Array.from({ length: 60 }, () => "5aa1c0de-1111-4222-8333-444455556666").join(",");
    const ordinary = {
      resource_id: disks,
      snapshot_id: "a".repeat(128),
      name: "b".repeat(255),
      detail: "c".repeat(4_000),
    };
    expect(JSON.parse(String(printRecord(ordinary)[0]))).toMatchObject(ordinary);
  });

  test("a record has at most 16 KB even if each character is escaped, and contains the complete ids and the outcome", () => {
    const id = "5aa1c0de-1111-4222-8333-444455556666";
    for (const character of ["\u0001", "\u2028", "\u202e", "😀", "é", '"', "\\", "\ud800"]) {
      const text = character.repeat(10_000);
      const fields = { name: text, policy: text, rule: text, detail: text, job_id: text, deployment_id: text };
      const error = new SnapshotError("CloudError", text, { code: text, requestId: text });
      for (const line of printRecord({ ...fields, resource_id: id, snapshot_id: id }, error, createRedactor([]))) {
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(16 * 1024);
        const record = JSON.parse(line);
        expect(record.outcome).toBe("failed");
        expect(record.error.message.length).toBeGreaterThan(50);
        if (record.action !== "run") expect([record.resource_id, record.snapshot_id]).toEqual([id, id]);
      }
    }
  });

  test("the record of the run contains at least the first 200 of 1,000 notices, and ends the list of notices with …", () => {
    const { records, printed } = startTest();
    for (let index = 0; index < 1_000; index += 1)
      records.addNotice(`Notice ${index} about a problem that needs attention.`);
    records.close(undefined);
    expect(JSON.parse(String(printed[0])).detail).toMatch(/^Notice 0 .*Notice 200 .*…$/);
  });

  test("a record is one line without control characters, and its parsed JSON contains the original strings", () => {
    const name = "a\u2028b\u2029c\u0085d\u007fe\u202ef\u200bg\nh\u001b[31mi";
    const [line] = printRecord({ name }, undefined, createRedactor(["some-secret-of-a-function"]));
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(String(line)).name).toBe(name);
  });
});

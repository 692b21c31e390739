/** Tests the records of create functions whose cloud sends long strings or control characters. */
import { describe, expect, test } from "vitest";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { createFixture, STANDARD } from "../support/creates.ts";
import { apig, createTestEnvironment, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("responses of the cloud with strings of 1 MB", () => {
  const MB = "x".repeat(1024 * 1024);

  test.each<[string, Fault]>([
    ["code and message", { type: "status", status: 400, body: { error: { code: MB, message: MB } } }],
    [
      "control characters",
      { type: "status", status: 400, body: { error: { code: "E", message: "\u0001".repeat(9e5) } } },
    ],
  ])(
    "create-standard-snapshot writes and delivers records of at most 16 KB after an error with 1 MB of %s",
    async (_what, fault) => {
      const fixture = await createFixture(STANDARD);
      fixture.cloud.fault({ operation: STANDARD.operation }, fault);
      const { records, warnings } = await fixture.post();
      expect(records).toMatchObject([{ outcome: "failed" }, { action: "run", outcome: "failed" }]);
      for (const record of records) expect(JSON.stringify(record).length).toBeLessThanOrEqual(16 * 1024);
      expect(warnings).toEqual([]);
      expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
    },
  );

  test("create-standard-snapshot throws an error of at most 64 KB after an error with a code and a message of 1 MB", async () => {
    const fixture = await createFixture(STANDARD);
    const body = { error: { code: MB, message: MB } };
    fixture.cloud.fault({ operation: STANDARD.operation }, { type: "status", status: 400, body });
    const { error } = await fixture.direct();
    expect(error).toMatchObject({ reason: "InvalidRequest", status: 400 });
    for (const text of [error?.message, error?.stack, JSON.stringify({ ...error })]) {
      expect(String(text).length).toBeLessThanOrEqual(66 * 1024);
    }
  });

  test("create-standard-snapshot writes records of at most 16 KB for a snapshot id of 1 MB", async () => {
    const fixture = await createFixture(STANDARD);
    const body = JSON.stringify({ snapshot: { id: MB, job_id: MB }, job_id: MB, snapshot_id: MB });
    fixture.cloud.fault({ operation: STANDARD.operation }, { type: "answer", status: 202, body });
    const { records, warnings } = await fixture.post();
    for (const record of records) expect(JSON.stringify(record).length).toBeLessThanOrEqual(16 * 1024);
    expect(warnings).toEqual([]);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
  });
});

describe("control characters that the cloud sends", () => {
  const text = "a\u2028b\u0085c\u007fd\u202ee\u200bf\u001b[31mg\nh";
  const RAW = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

  test("create-standard-snapshot escapes control characters of the cloud in records, warnings, responses and errors", async () => {
    const fault: Fault = { type: "status", status: 400, body: { error: { code: text, message: text } } };
    const lines: string[] = [];
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: STANDARD.operation }, fault);
    fixture.cloud.fault({ operation: "lts.reportLogs" }, { ...fault, status: 403 });
    const handler = STANDARD.factory({
      ...fixture.runtime,
      print: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
    });
    const posted = await fixture.invoke(() => handler, apig(fixture.body()));
    const direct = await fixture.invoke(() => handler, fixture.body());
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).not.toMatch(RAW);
    expect(JSON.parse(String(lines[0])).error).toMatchObject({ code: text, message: expect.stringContaining(text) });
    expect(posted.result.body).not.toMatch(RAW);
    const record = JSON.parse(String(lines[0])).error;
    expect(JSON.parse(posted.result.body).error).toMatchObject({ code: text, message: record.message });
    expect(direct.error?.message).not.toMatch(RAW);
    expect(direct.error?.message).toContain("a\\u2028b\\u0085c\\u007fd\\u202ee\\u200bf\\u001b[31mg\\u000ah");
  });

  test("verify-snapshots escapes control characters in the name of a snapshot, so the parsed record has the original name", async () => {
    const environment = await createTestEnvironment();
    const name = `m\u202egnp.${text}`;
    const labels = { "managed-by": "snapshot-functions", policy: "nightly", key: "0".repeat(32), content: "00000000" };
    environment.cloud.addSnapshot({
      kind: "snapshot",
      volumeId: environment.cloud.addVolume().id,
      name,
      createdAt: environment.clock.now() - 3_600_000,
      metadata: labels,
    });
    const lines: string[] = [];
    const handler = verifySnapshots({ ...environment.runtime, print: (line) => void lines.push(line) });
    await environment.invoke(() => handler, timerEvent({}));
    for (const line of lines) expect(line).not.toMatch(RAW);
    expect(JSON.parse(String(lines[0]))).toMatchObject({ action: "verify", name });
  });
});

/** Tests that records and errors remain short and printable if EVS sends strings of 1 MiB or control characters. */
import { describe, expect, test } from "vitest";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { createFixture, STANDARD } from "../support/creates.ts";
import { apig, createTestEnvironment, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const reject = (code: string, message: string): Fault => ({
  type: "status",
  status: 400,
  body: { error: { code, message } },
});

describe("responses of EVS with strings of 1 MiB", () => {
  const LONG_TEXT = "x".repeat(1024 * 1024);

  test.each<[content: string, fault: Fault]>([
    ["an error code and an error message of 1 MiB each", reject(LONG_TEXT, LONG_TEXT)],
    ["an error message of 900,000 control characters", reject("E", "\u0001".repeat(9e5))],
    [
      "a snapshot id and a job id of 1 MiB each",
      {
        type: "answer",
        status: 202,
        body: JSON.stringify({
          snapshot: { id: LONG_TEXT, job_id: LONG_TEXT },
          job_id: LONG_TEXT,
          snapshot_id: LONG_TEXT,
        }),
      },
    ],
  ])("create-standard-snapshot writes and delivers records of at most 16 KB if EVS sends %s", async (_, fault) => {
    const fixture = await createFixture(STANDARD);
    fixture.failCreate(fault);
    const { records, warnings } = await fixture.post();
    expect(records).toMatchObject([{ outcome: "failed" }, { action: "run", outcome: "failed" }]);
    for (const record of records) expect(JSON.stringify(record).length).toBeLessThanOrEqual(16 * 1024);
    expect(warnings).toEqual([]);
    expect(fixture.deliveredRecords()).toEqual(records);
  });

  test("create-standard-snapshot throws an error of at most 66 KB if EVS sends an error code and an error message of 1 MiB each", async () => {
    const fixture = await createFixture(STANDARD);
    fixture.failCreate(reject(LONG_TEXT, LONG_TEXT));
    const { error } = await fixture.direct();
    expect(error).toMatchObject({ reason: "InvalidRequest", status: 400 });
    for (const text of [error?.message, error?.stack, JSON.stringify({ ...error })]) {
      expect(String(text).length).toBeLessThanOrEqual(66 * 1024);
    }
  });
});

describe("control characters from EVS", () => {
  const CONTROLS = "a\u2028b\u0085c\u007fd\u202ee\u200bf\u001b[31mg\nh";
  const UNESCAPED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

  test("create-standard-snapshot escapes the control characters of an EVS error in records, warnings, responses and thrown errors", async () => {
    const fault = reject(CONTROLS, CONTROLS);
    const lines: string[] = [];
    const fixture = await createFixture(STANDARD);
    fixture.failCreate(fault);
    fixture.cloud.fault({ operation: "lts.reportLogs" }, { ...fault, status: 403 } as Fault);
    const handler = STANDARD.factory({
      ...fixture.runtime,
      print: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
    });
    const posted = await fixture.invoke(() => handler, apig(fixture.body()));
    const direct = await fixture.invoke(() => handler, fixture.body());
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).not.toMatch(UNESCAPED);
    const { error } = JSON.parse(String(lines[0]));
    expect(error).toMatchObject({ code: CONTROLS, message: expect.stringContaining(CONTROLS) });
    expect(posted.result.body).not.toMatch(UNESCAPED);
    expect(JSON.parse(posted.result.body).error).toMatchObject({ code: CONTROLS, message: error.message });
    expect(direct.error?.message).not.toMatch(UNESCAPED);
    expect(direct.error?.message).toContain("a\\u2028b\\u0085c\\u007fd\\u202ee\\u200bf\\u001b[31mg\\u000ah");
  });

  test("verify-snapshots writes the control characters of a snapshot name to stdout as JSON escapes, so the parsed record contains the original name", async () => {
    const { addDisks, clock, cloud, invoke, runtime } = await createTestEnvironment();
    const name = `m\u202egnp.${CONTROLS}`;
    cloud.addSnapshot({
      kind: "snapshot",
      volumeId: addDisks(1)[0] ?? "",
      name,
      createdAt: clock.now() - 3_600_000,
      metadata: { "managed-by": "snapshot-functions", policy: "nightly", key: "0".repeat(32), content: "00000000" },
    });
    const lines: string[] = [];
    const handler = verifySnapshots({ ...runtime, print: (line) => void lines.push(line) });
    await invoke(() => handler, timerEvent({}));
    for (const line of lines) expect(line).not.toMatch(UNESCAPED);
    expect(JSON.parse(String(lines[0]))).toMatchObject({ action: "verify", name });
  });
});

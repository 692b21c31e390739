/** Tests create functions whose records the logging topic does not accept. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { createFixture, STANDARD } from "../support/creates.ts";
import { createTestEnvironment, errorOf, outcomes, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("a logging topic that does not accept the records", () => {
  const code = (errorCode: string) => JSON.stringify({ errorCode, error_msg: "?", result: null });
  const TROUBLES: [what: string, fault: Fault, reason: string][] = [
    ["responds 500", { type: "status", status: 500 }, "CloudError"],
    ["responds 400", { type: "status", status: 400 }, "InvalidRequest"],
    ["responds 403", { type: "status", status: 403 }, "AccessDenied"],
    ["is throttled", { type: "throttle", retryAfter: 60 }, "Throttled"],
    ["does not respond", { type: "hang", after: false }, "Unreachable"],
    ["resets the connection", { type: "reset", after: false }, "Unreachable"],
    ["responds with a redirect", { type: "redirect", location: "https://example.com" }, "BadResponse"],
    ["responds with an HTML page", { type: "notJson", after: false, html: true }, "BadResponse"],
    ["responds with an empty body", { type: "emptyBody", after: false }, "BadResponse"],
    [
      "responds 200 with another code",
      { type: "answer", status: 200, body: code("SVCSTG.ALS.200.400") },
      "BadResponse",
    ],
    [
      "responds 200 with a code that contains the code of success",
      { type: "answer", status: 200, body: code("x.200.200.1") },
      "BadResponse",
    ],
    [
      "responds 200 with the code of a failure",
      { type: "answer", status: 200, body: code("SVCSTG.ALS.403.105") },
      "BadResponse",
    ],
    [
      "responds 200 with the code of success in an array",
      { type: "answer", status: 200, body: JSON.stringify({ errorCode: ["SVCSTG.ALS.200.200"] }) },
      "BadResponse",
    ],
    ["responds 202", { type: "answer", status: 202, body: code("SVCSTG.ALS.200.200") }, "BadResponse"],
  ];

  test.each(TROUBLES)(
    "create-standard-snapshot responds as usual and warns on stderr if the logging topic %s",
    async (_what, fault, reason) => {
      const fixture = await createFixture(STANDARD);
      fixture.cloud.fault({ operation: "lts.reportLogs" }, fault);
      const before = fixture.clock.now();
      const response = await fixture.post({}, {}, { requestId: "r-1" });
      expect(response.result.statusCode).toBe(202);
      expect(response.result.headers["x-snapshot-outcome"]).toBe("accepted");
      expect(fixture.cloud.snapshots("standard-snapshot")).toHaveLength(1);
      expect(outcomes(response)).toEqual(["create accepted", "run done"]);
      expect(response.warnings).toHaveLength(1);
      const warning = JSON.parse(String(response.warnings[0]));
      expect(warning).toMatchObject({ level: "error", function: "create-standard-snapshot", request_id: "r-1" });
      expect(warning.reason).toBe(reason);
      expect(warning.message).toMatch(/^The logging topic did not take 2 of 2 records, which are on stdout: /);
      expect(fixture.clock.now() - before).toBeLessThanOrEqual(2_000);
      expect(fixture.cloud.logs).toEqual([]);
    },
  );

  test("create-standard-snapshot reports its own failure if the logging topic fails too", async () => {
    const fixture = await createFixture(STANDARD, { variables: { LTS_LOG_STREAM_ID: "another-stream" } });
    const response = await fixture.post({ volume_id: "no id" });
    expect([response.result.statusCode, errorOf(response).reason]).toEqual([400, "InvalidRequest"]);
    expect(response.warnings.join()).toContain("The log stream does not existed");
  });

  test("create-standard-snapshot repeats a report whose connection was reset", async () => {
    for (const after of [true, false]) {
      const fixture = await createFixture(STANDARD);
      fixture.cloud.fault({ operation: "lts.reportLogs", nth: 1 }, { type: "reset", after });
      const { warnings, records } = await fixture.post();
      expect(warnings).toEqual([]);
      expect(fixture.cloud.logs.map(({ line }) => line).slice(-2)).toEqual(records);
    }
  });

  test("create-standard-snapshot delivers its records within the reserved time if its create never gets a response", async () => {
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: /^evs/ }, { type: "hang", after: false });
    const { records, warnings } = await fixture.post({}, {}, { remainingMs: 20_000 });
    expect(warnings).toEqual([]);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
    expect(fixture.clock.now() - Date.parse(START)).toBeLessThanOrEqual(20_000);
  });
});

describe("a record that the logging topic rejects permanently", () => {
  const refused: Fault = { type: "status", status: 400, body: { errorCode: "SVCSTG.ALS.400.400", error_msg: "no" } };

  test("scheduled-snapshots delivers every other record, reports that the topic failed, and warns how many records are missing", async () => {
    const environment = await createTestEnvironment();
    const disks = Array.from({ length: 9 }, () => environment.cloud.addVolume().id);
    const [poison = ""] = disks.slice(4);
    environment.cloud.fault({ operation: "lts.reportLogs", resource: poison }, refused);
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", volume_ids: disks }] };
    const { result, records, warnings } = await environment.invoke(scheduledSnapshots, timerEvent(policy));
    expect(result).toMatchObject({ targets: 9, outcomes: { accepted: 9 }, topic: "failed" });
    expect(records).toHaveLength(10);
    expect(environment.cloud.logs.map(({ line }) => line)).toEqual(
      records.filter(({ resource_id }) => resource_id !== poison),
    );
    expect(warnings).toHaveLength(1);
    expect(JSON.parse(String(warnings[0]))).toMatchObject({
      level: "error",
      reason: "InvalidRequest",
      message: expect.stringMatching(
        /^The logging topic did not take 1 of 10 records, which are on stdout: .*400 SVCSTG\.ALS\.400\.400: no\. /,
      ),
    });
  });

  test("create-standard-snapshot responds as usual and delivers the record of its run if the topic rejects the other record", async () => {
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: "lts.reportLogs", resource: String(fixture.resource.volume_id) }, refused);
    const response = await fixture.post();
    expect(response.result.statusCode).toBe(202);
    expect(fixture.cloud.logs.map(({ line }) => line)).toEqual([response.records.at(-1)]);
    expect(response.warnings.join()).toContain("did not take 1 of 2 records");
  });
});

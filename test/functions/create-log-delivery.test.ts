/** Tests what the functions do if LTS does not accept their records. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { createFixture, STANDARD } from "../support/creates.ts";
import { createTestEnvironment, errorOf, nightly, outcomeHeader, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const DELIVERY = "lts.reportLogs";

/** Returns a fault in which LTS responds with this HTTP status and this error code. */
const respond = (status: number, errorCode: string | string[]): Fault => ({
  type: "answer",
  status,
  body: JSON.stringify({ errorCode, error_msg: "?", result: null }),
});

test.each<[failure: string, fault: Fault, reason: string]>([
  ["responds 500", { type: "status", status: 500 }, "CloudError"],
  ["responds 400", { type: "status", status: 400 }, "InvalidRequest"],
  ["responds 403", { type: "status", status: 403 }, "AccessDenied"],
  ["throttles the requests", { type: "throttle", retryAfter: 60 }, "Throttled"],
  ["does not respond", { type: "hang", after: false }, "Unreachable"],
  ["resets the connection", { type: "reset", after: false }, "Unreachable"],
  ["responds with a redirect", { type: "redirect", location: "https://example.com" }, "BadResponse"],
  ["responds with an HTML page", { type: "notJson", after: false, html: true }, "BadResponse"],
  ["responds with an empty body", { type: "emptyBody", after: false }, "BadResponse"],
  ["responds 200 with an unknown error code", respond(200, "SVCSTG.ALS.200.400"), "BadResponse"],
  ["responds 200 with an error code that contains 200.200", respond(200, "x.200.200.1"), "BadResponse"],
  ["responds 200 with the error code of a failure", respond(200, "SVCSTG.ALS.403.105"), "BadResponse"],
  ["responds 200 with the success code in an array", respond(200, ["SVCSTG.ALS.200.200"]), "BadResponse"],
  ["responds 202 with the success code", respond(202, "SVCSTG.ALS.200.200"), "BadResponse"],
])(
  "create-standard-snapshot creates the snapshot and writes a warning to stderr within 2 s if LTS %s",
  async (_, fault, reason) => {
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: DELIVERY }, fault);
    const response = await fixture.post({}, {}, { requestId: "r-1" });
    expect(response.result.statusCode).toBe(202);
    expect(outcomeHeader(response)).toBe("accepted");
    expect(fixture.snapshots()).toHaveLength(1);
    expect(outcomes(response)).toEqual(["create accepted", "run done"]);
    expect(response.warnings).toHaveLength(1);
    const warning = JSON.parse(String(response.warnings[0]));
    expect(warning).toMatchObject({ level: "error", function: "create-standard-snapshot", request_id: "r-1", reason });
    expect(warning.message).toMatch(
      /^The logging topic did not accept 2 of 2 records. All records are on stdout. Cause: /,
    );
    expect(fixture.elapsedMs()).toBeLessThanOrEqual(2_000);
    expect(fixture.deliveredRecords()).toEqual([]);
  },
);

test("create-standard-snapshot responds 400 to an invalid request even if LTS rejects its records", async () => {
  const fixture = await createFixture(STANDARD, { variables: { LTS_LOG_STREAM_ID: "another-stream" } });
  const response = await fixture.post({ volume_id: "no id" });
  expect([response.result.statusCode, errorOf(response).reason]).toEqual([400, "InvalidRequest"]);
  expect(response.warnings.join()).toContain("The log stream does not existed");
});

test("create-standard-snapshot delivers its records again if LTS resets the connection, whether or not LTS has stored the records", async () => {
  for (const after of [true, false]) {
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: DELIVERY, nth: 1 }, { type: "reset", after });
    const { warnings, records } = await fixture.post();
    expect(warnings).toEqual([]);
    expect(fixture.deliveredRecords().slice(-2)).toEqual(records);
  }
});

test("create-standard-snapshot delivers its records before its deadline if EVS never responds", async () => {
  const fixture = await createFixture(STANDARD);
  fixture.cloud.fault({ operation: /^evs/ }, { type: "hang", after: false });
  const { records, warnings } = await fixture.post({}, {}, { remainingMs: 20_000 });
  expect(warnings).toEqual([]);
  expect(fixture.deliveredRecords()).toEqual(records);
  expect(fixture.elapsedMs()).toBeLessThanOrEqual(20_000);
});

describe("a record that LTS always rejects", () => {
  const rejection: Fault = { type: "status", status: 400, body: { errorCode: "SVCSTG.ALS.400.400", error_msg: "no" } };

  test("scheduled-snapshots delivers nine of ten records if LTS rejects one record, and warns that LTS did not accept one record", async () => {
    const environment = await createTestEnvironment();
    const disks = environment.addDisks(9);
    const rejectedDisk = disks[4] ?? "";
    environment.cloud.fault({ operation: DELIVERY, resource: rejectedDisk }, rejection);
    const { result, records, warnings } = await environment.invoke(scheduledSnapshots, nightly({ volume_ids: disks }));
    expect(result).toMatchObject({ targets: 9, outcomes: { accepted: 9 }, topic: "failed" });
    expect(records).toHaveLength(10);
    expect(environment.deliveredRecords()).toEqual(records.filter(({ resource_id }) => resource_id !== rejectedDisk));
    expect(warnings).toHaveLength(1);
    expect(JSON.parse(String(warnings[0]))).toMatchObject({
      level: "error",
      reason: "InvalidRequest",
      message: expect.stringMatching(
        /^The logging topic did not accept 1 of 10 records. All records are on stdout. Cause: .*400 SVCSTG\.ALS\.400\.400: no\. /,
      ),
    });
  });

  test("create-standard-snapshot responds 202 and still delivers its run record if LTS rejects the snapshot record", async () => {
    const fixture = await createFixture(STANDARD);
    fixture.cloud.fault({ operation: DELIVERY, resource: fixture.resourceId }, rejection);
    const response = await fixture.post();
    expect(response.result.statusCode).toBe(202);
    expect(fixture.deliveredRecords()).toEqual([response.records.at(-1)]);
    expect(response.warnings.join()).toContain("did not accept 1 of 2 records");
  });
});

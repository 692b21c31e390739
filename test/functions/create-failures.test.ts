/** Tests each reason for which a create can fail: the response to the caller, the record, and the state of the cloud. */
import { describe, expect, test } from "vitest";
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import { FAILURES } from "../support/create-failures.ts";
import { createFixture } from "../support/creates.ts";
import { errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

/** Matches settings that only the operator of the functions can change. */
const OPERATORS_OWN = /make_room|[A-Z]{2,}_[A-Z]{2,}|agency|prune-snapshots|\*_/;

test("this file has a failure for each reason with which a create function can end", () => {
  const tested = new Set(FAILURES.map(({ reason }) => reason));
  // A create function does not wait until the snapshot ends.
  expect(Object.keys(REASONS).filter((reason) => !tested.has(reason as Reason))).toEqual(["SnapshotFailed"]);
});

describe.each(FAILURES)("$create.name, $reason, $what", (failure) => {
  const { reason, what, create, options, how, arrange, status, code, message, cloudStatus } = failure;
  const open = async () => {
    const fixture = await createFixture(create, options);
    arrange(fixture);
    return { ...fixture, before: fixture.cloud.snapshots().length };
  };
  const misconfigured = reason === "Misconfigured";

  test(`${create.name} responds ${status} ${reason} with the message of its record for ${what}`, async () => {
    const fixture = await open();
    const answered = await fixture.post({}, {}, { requestId: "r-1", ...how });
    const { result, error, records } = answered;
    expect(error).toBeUndefined();
    expect(result).toStrictEqual({
      statusCode: status,
      headers: expect.objectContaining({ "content-type": "application/json", "x-request-id": "r-1" }),
      body: expect.any(String),
      isBase64Encoded: false,
    });
    expect(JSON.parse(result.body)).toStrictEqual({
      error: {
        code: code ?? reason,
        message: records[0].error.message,
        reason,
        request_id: "r-1",
      },
    });
    const text = errorOf(answered).message;
    if (typeof message === "string") expect(text).toContain(message.replace(/\.$/, ""));
    else expect(text).toMatch(message);
    if (code !== undefined) expect(text).toContain(`${cloudStatus} ${code}: `);
    // An HTTP caller cannot change the settings of the operator.
    if (!misconfigured) expect(text).not.toMatch(OPERATORS_OWN);
    expect(outcomes(answered)).toEqual(misconfigured ? ["run failed"] : ["create failed", "run failed"]);
    for (const record of records) {
      expect(record.error.message).toBe(text);
      expect(record).toMatchObject({ level: "error", error: { reason } });
      expect([record.error.code, record.error.status]).toEqual([code, cloudStatus]);
    }
    // A support ticket needs the request id of the cloud's response.
    const cloudId = records[0].error.request_id;
    if (cloudStatus !== undefined && reason !== "BadResponse") {
      expect(fixture.cloud.requests.find(({ requestId }) => requestId === cloudId)?.status).toBe(cloudStatus);
    }
    expect(fixture.cloud.snapshots()).toHaveLength(fixture.before);
    expect(fixture.cloud.refusedSignatures).toEqual([]);
  });

  test(`${create.name}, invoked directly, throws ${reason} with the complete message for ${what}`, async () => {
    const fixture = await open();
    const { result, error, records } = await fixture.direct(undefined, how);
    expect(result).toBeUndefined();
    expect(error?.name).toBe(reason);
    expect(error?.message).toBe(records[0].error.message);
    for (const part of [code, cloudStatus].filter((one) => one !== undefined))
      expect(error?.message).toContain(String(part));
    if (typeof message === "string") expect(error?.message).toContain(message.replace(/\.$/, ""));
    // The platform shows the message and nothing else, so the message contains the advice.
    if (code !== undefined) expect(error?.message).toContain(REASONS[reason].advice);
    expect(fixture.cloud.snapshots()).toHaveLength(fixture.before);
  });
});

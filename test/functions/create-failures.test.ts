/** Tests each situation in which a create function fails. Checks the error, the records and the number of snapshots. */
import { describe, expect, test } from "vitest";
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import { FAILURES } from "../support/create-failures.ts";
import { createFixture } from "../support/creates.ts";
import { errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

/** Matches the names of settings that only the operator of the functions can change. An HTTP caller cannot change them. */
const OPERATOR_SETTINGS = /make_room|[A-Z]{2,}_[A-Z]{2,}|agency|prune-snapshots|\*_/;

test("the table FAILURES has a situation for each error reason except SnapshotFailed", () => {
  const tested = new Set(FAILURES.map(({ reason }) => reason));
  // A snapshot usually fails after the create function has returned, so the table has no situation for `SnapshotFailed`.
  expect(Object.keys(REASONS).filter((reason) => !tested.has(reason as Reason))).toEqual(["SnapshotFailed"]);
});

describe.each(FAILURES.map((failure) => [failure.create.name, failure] as const))("%s", (_name, failure) => {
  const { reason, situation, create, options, invocation, arrange, status, message, cloud } = failure;
  const [cloudStatus, code] = cloud ?? [];
  const prepare = async () => {
    const fixture = await createFixture(create, options);
    arrange?.(fixture);
    return { ...fixture, snapshotsBefore: fixture.cloud.snapshots().length };
  };
  const misconfigured = reason === "Misconfigured";
  const expectMessage = (actual = "") => {
    if (typeof message === "string") expect(actual).toContain(message.replace(/\.$/, ""));
    else expect(actual).toMatch(message);
  };

  test(`${create.name} responds ${status} with the reason ${reason} if ${situation}`, async () => {
    const fixture = await prepare();
    const response = await fixture.post({}, {}, { requestId: "r-1", ...invocation });
    const { result, error, records } = response;
    expect(error).toBeUndefined();
    expect(result).toStrictEqual({
      statusCode: status,
      headers: expect.objectContaining({ "content-type": "application/json", "x-request-id": "r-1" }),
      body: expect.any(String),
      isBase64Encoded: false,
    });
    const text = errorOf(response).message;
    expect(JSON.parse(result.body)).toStrictEqual({
      error: { code: code ?? reason, message: text, reason, request_id: "r-1" },
    });
    expectMessage(text);
    if (code !== undefined) expect(text).toContain(`${cloudStatus} ${code}: `);
    if (!misconfigured) expect(text).not.toMatch(OPERATOR_SETTINGS);
    expect(outcomes(response)).toEqual(misconfigured ? ["run failed"] : ["create failed", "run failed"]);
    for (const record of records) {
      expect(record.error.message).toBe(text);
      expect(record).toMatchObject({ level: "error", error: { reason } });
      expect([record.error.code, record.error.status]).toEqual([code, cloudStatus]);
    }
    // The record contains the request id of the EVS or DWS response, because a support ticket for Huawei Cloud needs this id.
    const cloudRequestId = records[0].error.request_id;
    if (cloudStatus !== undefined && reason !== "BadResponse") {
      expect(fixture.cloud.requests.find(({ requestId }) => requestId === cloudRequestId)?.status).toBe(cloudStatus);
    }
    expect(fixture.cloud.snapshots()).toHaveLength(fixture.snapshotsBefore);
    expect(fixture.cloud.refusedSignatures).toEqual([]);
  });

  test(`${create.name}, invoked directly, throws ${reason} if ${situation}`, async () => {
    const fixture = await prepare();
    const { result, error, records } = await fixture.direct(undefined, invocation);
    expect(result).toBeUndefined();
    expect(error?.name).toBe(reason);
    expect(error?.message).toBe(records[0].error.message);
    for (const part of [code, cloudStatus].filter((value) => value !== undefined))
      expect(error?.message).toContain(String(part));
    expectMessage(error?.message);
    // FunctionGraph shows a direct caller only the message, so the message contains the advice.
    if (code !== undefined) expect(error?.message).toContain(REASONS[reason].advice);
    expect(fixture.cloud.snapshots()).toHaveLength(fixture.snapshotsBefore);
  });
});

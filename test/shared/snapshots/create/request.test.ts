import { expect, test } from "vitest";
import { type CreateResult, toRecordFields } from "../../../../shared/snapshots/create/request.ts";

const created: CreateResult = {
  outcome: "existing",
  snapshotId: "a",
  name: "nightly-a",
  jobId: "job-a",
  status: 202,
  body: "{}",
  attempts: 2,
};

test("toRecordFields returns the fields of a result record, with a detail only if the result has a detail", () => {
  const fields = { outcome: "existing", name: "nightly-a", snapshot_id: "a", job_id: "job-a", attempts: 2 };
  expect(toRecordFields({ ...created, state: "creating" })).toStrictEqual(fields);
  expect(toRecordFields({ ...created, detail: "other options" })).toStrictEqual({ ...fields, detail: "other options" });
});

test("toRecordFields returns the outcome unverified for a snapshot with an unknown status", () => {
  expect(toRecordFields({ ...created, state: "unknown" })).toMatchObject({
    outcome: "unverified",
    snapshot_id: "a",
    detail: "The snapshot exists, and its status is unknown.",
  });
});

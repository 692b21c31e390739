import { expect, test } from "vitest";
import { asSnapshotError, SnapshotError } from "../../../shared/core/errors.ts";

test("SnapshotError has the reason as its name and the given details as fields", () => {
  const details = {
    code: "EVS.2409",
    cloudMessage: "A snapshot is being created.",
    status: 409,
    requestId: "r-1",
    retryAfterMs: 3_000,
    ambiguous: true,
    attempts: 2,
  };
  const cause = new Error("socket hang up");
  const error = new SnapshotError("Busy", "The disk is busy.", { ...details, cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "Busy", reason: "Busy", message: "The disk is busy.", ...details });
  expect(error.cause).toBe(cause);
});

test("SnapshotError without details is not ambiguous and has no cause", () => {
  const error = new SnapshotError("NotFound", "Gone.");
  expect(error.ambiguous).toBe(false);
  expect("cause" in error).toBe(false);
});

test("asSnapshotError returns a SnapshotError unchanged, and turns another thrown value into a CloudError that names the value", () => {
  const known = new SnapshotError("NotFound", "Gone.");
  expect(asSnapshotError(known)).toBe(known);
  const fault = new TypeError("x is not a function");
  const error = asSnapshotError(fault);
  expect(error).toMatchObject({
    reason: "CloudError",
    message: "Unexpected fault in the function: TypeError: x is not a function",
    ambiguous: false,
  });
  expect(error.cause).toBe(fault);
  expect(asSnapshotError("out of order").message).toBe("Unexpected fault in the function: out of order");
});

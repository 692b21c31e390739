import { expect, test } from "vitest";
import { asSnapshotError, SnapshotError } from "../../../shared/core/errors.ts";

test("SnapshotError has its reason as its name, and all details of the cloud", () => {
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

test("SnapshotError is not ambiguous and has no cause by default", () => {
  const error = new SnapshotError("NotFound", "Gone.");
  expect(error.ambiguous).toBe(false);
  expect("cause" in error).toBe(false);
});

test("asSnapshotError reports any other thrown value as a fault of the function and names the value", () => {
  const ours = new SnapshotError("NotFound", "Gone.");
  expect(asSnapshotError(ours)).toBe(ours);
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

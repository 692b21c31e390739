/** Tests what the record of a deletion says, and when prune repeats a delete request. */
import { describe, expect, test } from "vitest";
import { REASONS, type Reason } from "../../../../shared/core/errors.ts";
import {
  type PendingDeletion,
  toConfirmation,
  toPendingDeletion,
  toUnconfirmed,
  waitBeforeRetry,
} from "../../../../shared/snapshots/retention/pending-deletion.ts";
import { cloudError, createFixture, STATUS, snapshot, snapshotOf, startPlus } from "../../../support/domain.ts";

const FOUND = snapshotOf("a", "disk-1");

const deletionOf = (changes: Partial<PendingDeletion> = {}): PendingDeletion => ({
  ...toPendingDeletion({ kind: snapshot, verdict: { snapshot: FOUND, decision: "deleted", rule: "kept by no rule" } }),
  ...changes,
});

test("toPendingDeletion reads neither an older snapshot nor list options from a verdict that is not about a duplicate", () => {
  const verdict = { snapshot: FOUND, decision: "deleted" as const, rule: "kept by no rule" };
  const original = snapshotOf("b", "disk-1");
  const expected = { id: "a", resource: "disk-1", originalId: undefined, listOptions: undefined, memberIds: undefined };
  expect(toPendingDeletion({ kind: snapshot, verdict, original })).toMatchObject(expected);
  // Object.assign copies these fields to the pending deletion of the previous plan.
  expect(Object.keys(toPendingDeletion({ kind: snapshot, verdict }))).toEqual(
    expect.arrayContaining(["originalId", "listOptions"]),
  );
});

describe("the result of a deletion in the list response after it", () => {
  const error = cloudError("NotFound");
  const deleting = { ...FOUND, ...STATUS.deleting };

  test.each([
    ["an accepted delete request, and the snapshot is not listed", {}, undefined, { outcome: "deleted" }],
    ["an accepted delete request, and the snapshot is in deletion", {}, deleting, { outcome: "deleted" }],
    [
      "a delete request that failed with NotFound, and the snapshot is not listed",
      { error },
      undefined,
      { outcome: "deleted", detail: "Already deleted." },
    ],
    [
      "a delete request that failed with NotFound, and the snapshot is in deletion",
      { error },
      deleting,
      { outcome: "deleted", detail: "Already being deleted." },
    ],
    [
      "a delete request that failed with NotFound, and the snapshot is available",
      { error },
      FOUND,
      { outcome: "failed", error },
    ],
    [
      "an accepted delete request, and the snapshot is available",
      {},
      FOUND,
      {
        outcome: "unverified",
        detail:
          "The delete request was accepted, but the snapshot is still listed with the status available. The next run tries again. If this happens again, delete the snapshot by hand.",
      },
    ],
  ])("toConfirmation returns the fields that complete the record after %s", (_, changes, listed, fields) => {
    expect(toConfirmation(deletionOf(changes), listed)).toEqual(fields);
  });

  test("toUnconfirmed returns the error of the delete request, or otherwise why the snapshots could not be listed", () => {
    const cause = cloudError("AccessDenied");
    expect(toUnconfirmed(deletionOf({ error }), cause)).toEqual({ outcome: "failed", error });
    expect(toUnconfirmed(deletionOf(), cause)).toEqual({
      outcome: "unverified",
      detail: `The delete request was accepted, but the snapshots could not be listed after it: ${cause.message}`,
    });
  });
});

describe("waitBeforeRetry", () => {
  /** Calls `waitBeforeRetry` with a deadline `seconds` after the start. Returns the result and the seconds that it waited. */
  const resultAfter = async (reason: Reason | undefined, { tries = 1, seconds = 600 } = {}) => {
    const { time, runContext } = createFixture({ seconds });
    const deletion = deletionOf({ tries, ...(reason && { error: cloudError(reason) }) });
    return [
      await waitBeforeRetry(deletion, { ...runContext.retryBudget, deadline: startPlus(seconds * 1000) }),
      time.seconds(),
    ];
  };
  const TRANSIENT = (Object.keys(REASONS) as Reason[]).filter((reason) => REASONS[reason].retryClass === "transient");

  test("waitBeforeRetry returns false at once without an error, or after an error that a retry cannot mend", async () => {
    expect(await resultAfter(undefined)).toEqual([false, 0]);
    expect(await resultAfter("AccessDenied")).toEqual([false, 0]);
  });

  test("waitBeforeRetry allows three retries for a busy snapshot, and then none", async () => {
    expect(await resultAfter("Busy", { tries: 1 })).toEqual([true, 6]);
    expect((await resultAfter("Busy", { tries: 3 }))[0]).toBe(true);
    expect(await resultAfter("Busy", { tries: 4 })).toEqual([false, 0]);
  });

  test.each(TRANSIENT)(
    "waitBeforeRetry waits 6 s more after %s, until a list response is certain to show a deletion",
    async (reason) => {
      const [mayRetry, seconds] = await resultAfter(reason);
      expect(mayRetry).toBe(true);
      expect(seconds).toBeGreaterThanOrEqual(6);
    },
  );

  test("after a transient error, waitBeforeRetry returns false at once if the deadline is 6 s away, and returns true if the deadline is 6.001 s away", async () => {
    expect(await resultAfter("CloudError", { seconds: 6 })).toEqual([false, 0]);
    expect((await resultAfter("CloudError", { seconds: 6.001 }))[0]).toBe(true);
    expect((await resultAfter("Busy", { seconds: 6.001 }))[0]).toBe(true);
  });
});

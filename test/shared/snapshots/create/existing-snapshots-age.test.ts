/** Tests when an index of existing snapshots sends list requests again. */
import { describe, expect, test } from "vitest";
import { createFreshLook } from "../../../../shared/snapshots/create/fresh-look.ts";
import { cloudError, createFixture, standard } from "../../../support/domain.ts";
import { agedSnapshots, createListedIndex, ids } from "../../../support/listed-index.ts";
import { diskTarget } from "../../../support/runs.ts";

describe("the method refresh of an index of existing snapshots", () => {
  test("refresh sends one list request per kind, even if the last list response is fresh", async () => {
    const { cloud, index } = await createListedIndex([]);
    await index.refresh([diskTarget(1), diskTarget(2), diskTarget(1, standard)], []);
    expect(cloud.requests()).toEqual(["listNewest snapshot", "listAll standard-snapshot"]);
  });

  test("refresh waits for a list request in progress, which was sent too early, and then sends another one", async () => {
    const { cloud, index, target, time, addMine } = await createListedIndex(agedSnapshots(1));
    cloud.onNextCalls("listNewest", () => time.sleep(500));
    const slow = index.refresh([target], []);
    await time.sleep(100);
    addMine();
    await index.refresh([target], []);
    await slow;
    expect(cloud.calls).toEqual(["0 s listNewest snapshot", "0.5 s listNewest snapshot"]);
    expect(ids(index.listed([target]))).toEqual(["mine"]);
  });

  test("refresh sends a list request even if the list request in progress fails", async () => {
    const { cloud, index, target, time } = await createListedIndex([]);
    cloud.onNextCalls("listNewest", async () => {
      await time.sleep(500);
      throw cloudError("AccessDenied");
    });
    const denied = index.refresh([target], []).catch(({ reason }) => reason);
    await time.sleep(100);
    await index.refresh([target], []);
    expect(await denied).toBe("AccessDenied");
    expect(cloud.requests()).toHaveLength(2);
  });
});

describe("an index of existing snapshots whose list requests are throttled", () => {
  /** Returns how old a list response may be after the given number of throttled requests in one refresh. */
  const maxAgeAfter = async (throttledCount: number, successCount = 1) => {
    const { cloud, index, target, time } = await createListedIndex([]);
    cloud.onNextCalls("listNewest", ...Array(throttledCount).fill(cloudError("Throttled")));
    for (let count = 0; count < successCount; count += 1) await index.refresh([target], []);
    const requests = cloud.calls.length;
    const start = time.seconds();
    while (cloud.calls.length === requests) {
      await time.sleep(500);
      await index.find(target);
    }
    return time.seconds() - start - 0.5;
  };

  test("find uses list responses for 2 s, 4 s and 4 s after 2, 3 and 10 throttled requests", async () => {
    expect([await maxAgeAfter(1), await maxAgeAfter(2), await maxAgeAfter(3), await maxAgeAfter(10)]).toEqual([
      1, 2, 4, 4,
    ]);
  });

  test("find uses list responses for half as long after each list request that succeeds, down to 1 s", async () => {
    expect([await maxAgeAfter(3, 2), await maxAgeAfter(3, 3), await maxAgeAfter(3, 4)]).toEqual([2, 1, 1]);
  });

  test("find uses list responses for 1 s after another transient error", async () => {
    const { cloud, index, target, time } = await createListedIndex([]);
    cloud.onNextCalls("listNewest", cloudError("CloudError"), cloudError("CloudError"));
    await index.refresh([target], []);
    await time.sleep(1_001);
    await index.find(target);
    expect(cloud.requests()).toHaveLength(4);
  });
});

describe("createFreshLook", () => {
  test("createFreshLook sends the next list request at least 1 s after the last list response arrived", async () => {
    const { time, runContext } = createFixture();
    let requests = 0;
    const look = createFreshLook(async () => {
      requests += 1;
      if (requests === 2) await time.sleep(2_000);
      return requests;
    }, runContext.retryBudget);
    const lookAfter = async (milliseconds: number) => {
      await time.sleep(milliseconds);
      return look();
    };
    expect([await lookAfter(0), await lookAfter(1_000), await lookAfter(1)]).toEqual([1, 1, 2]);
    expect([await lookAfter(1_000), await lookAfter(1)]).toEqual([2, 3]);
  });

  test("createFreshLook repeats a list request after a transient error and measures the age from the request that succeeds", async () => {
    const { time, runContext } = createFixture({ random: () => 0.9 });
    const results = [cloudError("Throttled"), "first", "second"];
    const look = createFreshLook(async () => {
      const result = results.shift();
      if (typeof result !== "string") throw result;
      return result;
    }, runContext.retryBudget);
    expect(await look()).toBe("first");
    await time.sleep(1_000);
    expect(await look()).toBe("first");
    await time.sleep(1);
    expect(await look()).toBe("second");
  });
});

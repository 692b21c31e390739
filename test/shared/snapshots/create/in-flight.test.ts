import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import { serializeGateCalls } from "../../../../shared/snapshots/create/in-flight.ts";
import { cloudError, createFixture, type DomainFixture, START } from "../../../support/domain.ts";

describe("serializeGateCalls", () => {
  const call = (fixture: DomainFixture, name: string, events: string[], seconds: number, fails = false) =>
    serializeGateCalls(name, fixture.runContext.inFlight, fixture.runContext.retryBudget, async () => {
      events.push(`${fixture.time.seconds()} s ${name} starts`);
      await fixture.time.sleep(seconds * 1000);
      events.push(`${fixture.time.seconds()} s ${name} finishes`);
      if (fails) throw cloudError("CloudError");
    }).catch((error) => void events.push(`${fixture.time.seconds()} s ${error.reason}`));
  const startsOf = (events: string[]) => events.filter((event) => event.endsWith("starts"));

  test("serializeGateCalls starts a second call with the same name 6 s after the first has finished, and a call with another name at once", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    await Promise.all([call(fixture, "a", events, 3), call(fixture, "a", events, 2), call(fixture, "b", events, 1)]);
    expect(events).toEqual([
      "0 s a starts",
      "0 s b starts",
      "1 s b finishes",
      "3 s a finishes",
      "9 s a starts",
      "11 s a finishes",
    ]);
  });

  test("serializeGateCalls starts a call at once if the previous call with the same name has finished, and keeps no entry of the previous call", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    await call(fixture, "a", events, 1);
    // One microtask after the call is finished, its entry is removed.
    await fixture.time.sleep(0);
    expect(fixture.runContext.inFlight.size).toBe(0);
    await call(fixture, "a", events, 1);
    expect(startsOf(events)).toEqual(["0 s a starts", "1 s a starts"]);
  });

  test("serializeGateCalls starts the next call with the same name even if the previous call failed", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    await Promise.all([call(fixture, "a", events, 1, true), call(fixture, "a", events, 1)]);
    expect(events).toEqual(["0 s a starts", "1 s a finishes", "1 s CloudError", "7 s a starts", "8 s a finishes"]);
  });

  test("serializeGateCalls starts three calls with the same name one after the other", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    await Promise.all([call(fixture, "a", events, 1), call(fixture, "a", events, 1), call(fixture, "a", events, 1)]);
    expect(startsOf(events)).toEqual(["0 s a starts", "7 s a starts", "14 s a starts"]);
  });

  test("serializeGateCalls makes a third call wait for the second call with the same name if the first has already finished", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    const calls = [call(fixture, "a", events, 1), call(fixture, "a", events, 5)];
    await fixture.time.sleep(8_000);
    await Promise.all([...calls, call(fixture, "a", events, 1)]);
    expect(startsOf(events)).toEqual(["0 s a starts", "7 s a starts", "18 s a starts"]);
  });

  test("serializeGateCalls fails a waiting call at its deadline, and a third call with the same name still waits for the first call", async () => {
    const fixture = createFixture({ seconds: 5 });
    const patientFixture = {
      ...fixture,
      runContext: {
        ...fixture.runContext,
        retryBudget: { ...fixture.runContext.retryBudget, deadline: after(START, 60_000) },
      },
    };
    const events: string[] = [];
    await Promise.all([
      call(fixture, "a", events, 10),
      call(fixture, "a", events, 1),
      call(patientFixture, "a", events, 1),
    ]);
    expect(events).toEqual([
      "0 s a starts",
      "5 s DeadlineExceeded",
      "10 s a finishes",
      "16 s a starts",
      "17 s a finishes",
    ]);
  });
});

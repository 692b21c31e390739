import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import { serializeRuns } from "../../../../shared/snapshots/create/in-flight.ts";
import { cloudError, createFixture, type DomainFixture, START } from "../../../support/domain.ts";

describe("serializeRuns", () => {
  const run = (fixture: DomainFixture, name: string, events: string[], seconds: number, fails = false) =>
    serializeRuns(name, fixture.runContext.inFlight, fixture.runContext.retryBudget, async () => {
      events.push(`${fixture.time.seconds()} s ${name} starts`);
      await fixture.time.sleep(seconds * 1000);
      events.push(`${fixture.time.seconds()} s ${name} finishes`);
      if (fails) throw cloudError("CloudError");
    }).catch((error) => void events.push(`${fixture.time.seconds()} s ${error.reason}`));

  test("serializeRuns starts a second run with the same name 6 s after the first has finished, and a run with another name at once", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    await Promise.all([run(fixture, "a", events, 3), run(fixture, "a", events, 2), run(fixture, "b", events, 1)]);
    expect(events).toEqual([
      "0 s a starts",
      "0 s b starts",
      "1 s b finishes",
      "3 s a finishes",
      "9 s a starts",
      "11 s a finishes",
    ]);
  });

  test("serializeRuns passes true to a run if a run with the same name has finished within the last 10 s", async () => {
    const startAfter = async (waitMs: number) => {
      const fixture = createFixture({ seconds: 600 });
      const { inFlight, retryBudget } = fixture.runContext;
      const passed: boolean[] = [];
      await run(fixture, "a", [], 1);
      await fixture.time.sleep(waitMs);
      await serializeRuns("a", inFlight, retryBudget, async (again) => void passed.push(again));
      await serializeRuns("b", inFlight, retryBudget, async () => {});
      return [...passed, inFlight.size];
    };
    expect(await startAfter(10_000)).toEqual([true, 2]);
    expect(await startAfter(10_001)).toEqual([false, 2]);
    const fixture = createFixture({ seconds: 600 });
    await run(fixture, "a", [], 1);
    await fixture.time.sleep(10_001);
    await run(fixture, "b", [], 1);
    expect([...fixture.runContext.inFlight.keys()]).toEqual(["b"]);
  });

  test("serializeRuns passes true to a run that has waited for a run with the same name", async () => {
    const fixture = createFixture();
    const passed: boolean[] = [];
    const turn = (seconds: number) =>
      serializeRuns("a", fixture.runContext.inFlight, fixture.runContext.retryBudget, async (again) => {
        passed.push(again);
        await fixture.time.sleep(seconds * 1000);
      });
    await Promise.all([turn(1), turn(1)]);
    expect(passed).toEqual([false, true]);
  });

  test("serializeRuns starts the next run with the same name even if the previous run failed", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    await Promise.all([run(fixture, "a", events, 1, true), run(fixture, "a", events, 1)]);
    expect(events).toEqual(["0 s a starts", "1 s a finishes", "1 s CloudError", "7 s a starts", "8 s a finishes"]);
  });

  test("serializeRuns starts three runs with the same name one after the other", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    await Promise.all([run(fixture, "a", events, 1), run(fixture, "a", events, 1), run(fixture, "a", events, 1)]);
    expect(events.filter((event) => event.endsWith("starts"))).toEqual([
      "0 s a starts",
      "7 s a starts",
      "14 s a starts",
    ]);
  });

  test("serializeRuns makes a third run wait for the second run with the same name if the first has already finished", async () => {
    const fixture = createFixture();
    const events: string[] = [];
    const turns = [run(fixture, "a", events, 1), run(fixture, "a", events, 5)];
    await fixture.time.sleep(8_000);
    await Promise.all([...turns, run(fixture, "a", events, 1)]);
    expect(events.filter((event) => event.endsWith("starts"))).toEqual([
      "0 s a starts",
      "7 s a starts",
      "18 s a starts",
    ]);
  });

  test("serializeRuns fails a waiting run at its deadline, and a third run with the same name still waits for the first run", async () => {
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
      run(fixture, "a", events, 10),
      run(fixture, "a", events, 1),
      run(patientFixture, "a", events, 1),
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

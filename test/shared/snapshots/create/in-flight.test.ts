import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import { serializeRuns } from "../../../../shared/snapshots/create/in-flight.ts";
import { cloudError, createFixture, type DomainFixture, START } from "../../../support/domain.ts";

describe("serializeRuns", () => {
  const run = (fixture: DomainFixture, name: string, outcomes: string[], seconds: number, fails = false) =>
    serializeRuns(name, fixture.runContext.inFlight, fixture.runContext.retryBudget, async () => {
      outcomes.push(`${fixture.time.seconds()} s ${name} begins`);
      await fixture.time.sleep(seconds * 1000);
      outcomes.push(`${fixture.time.seconds()} s ${name} ends`);
      if (fails) throw cloudError("CloudError");
    }).catch((error) => void outcomes.push(`${fixture.time.seconds()} s ${error.reason}`));

  test("serializeRuns starts a run when the previous one has ended and a list must show its snapshots", async () => {
    const fixture = createFixture();
    const outcomes: string[] = [];
    await Promise.all([run(fixture, "a", outcomes, 3), run(fixture, "a", outcomes, 2), run(fixture, "b", outcomes, 1)]);
    expect(outcomes).toEqual([
      "0 s a begins",
      "0 s b begins",
      "1 s b ends",
      "3 s a ends",
      "9 s a begins",
      "11 s a ends",
    ]);
  });

  test("serializeRuns reports for 10 s that a run of the same name ended recently", async () => {
    const again = async (waitMs: number) => {
      const fixture = createFixture({ seconds: 600 });
      const outcomes: boolean[] = [];
      await run(fixture, "a", [], 1);
      await fixture.time.sleep(waitMs);
      await serializeRuns(
        "a",
        fixture.runContext.inFlight,
        fixture.runContext.retryBudget,
        async (value) => void outcomes.push(value),
      );
      await serializeRuns("b", fixture.runContext.inFlight, fixture.runContext.retryBudget, async () => {});
      return [...outcomes, fixture.runContext.inFlight.size];
    };
    expect(await again(10_000)).toEqual([true, 2]);
    expect(await again(10_001)).toEqual([false, 2]);
    const fixture = createFixture({ seconds: 600 });
    await run(fixture, "a", [], 1);
    await fixture.time.sleep(10_001);
    await run(fixture, "b", [], 1);
    expect([...fixture.runContext.inFlight.keys()]).toEqual(["b"]);
  });

  test("serializeRuns reports to a run that waited that another run ended recently", async () => {
    const fixture = createFixture();
    const outcomes: boolean[] = [];
    const turn = (seconds: number) =>
      serializeRuns("a", fixture.runContext.inFlight, fixture.runContext.retryBudget, async (again) => {
        outcomes.push(again);
        await fixture.time.sleep(seconds * 1000);
      });
    await Promise.all([turn(1), turn(1)]);
    expect(outcomes).toEqual([false, true]);
  });

  test("serializeRuns starts the next run if the previous one failed", async () => {
    const fixture = createFixture();
    const outcomes: string[] = [];
    await Promise.all([run(fixture, "a", outcomes, 1, true), run(fixture, "a", outcomes, 1)]);
    expect(outcomes).toEqual(["0 s a begins", "1 s a ends", "1 s CloudError", "7 s a begins", "8 s a ends"]);
  });

  test("serializeRuns runs three runs of the same name one after the other", async () => {
    const fixture = createFixture();
    const outcomes: string[] = [];
    await Promise.all([run(fixture, "a", outcomes, 1), run(fixture, "a", outcomes, 1), run(fixture, "a", outcomes, 1)]);
    expect(outcomes.filter((one) => one.endsWith("begins"))).toEqual(["0 s a begins", "7 s a begins", "14 s a begins"]);
  });

  test("serializeRuns lets a third run wait for the second one after the first has ended", async () => {
    const fixture = createFixture();
    const outcomes: string[] = [];
    const turns = [run(fixture, "a", outcomes, 1), run(fixture, "a", outcomes, 5)];
    await fixture.time.sleep(8_000);
    await Promise.all([...turns, run(fixture, "a", outcomes, 1)]);
    expect(outcomes.filter((one) => one.endsWith("begins"))).toEqual(["0 s a begins", "7 s a begins", "18 s a begins"]);
  });

  test("serializeRuns fails a run that cannot start in time, and the next run still waits for the first", async () => {
    const fixture = createFixture({ seconds: 5 });
    const patient = {
      ...fixture,
      runContext: {
        ...fixture.runContext,
        retryBudget: { ...fixture.runContext.retryBudget, deadline: after(START, 60_000) },
      },
    };
    const outcomes: string[] = [];
    await Promise.all([
      run(fixture, "a", outcomes, 10),
      run(fixture, "a", outcomes, 1),
      run(patient, "a", outcomes, 1),
    ]);
    expect(outcomes).toEqual(["0 s a begins", "5 s DeadlineExceeded", "10 s a ends", "16 s a begins", "17 s a ends"]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { startDelivery } from "../../../shared/results/topic.ts";

const KB = 1024;
/** What goes over the wire for a batch. */
const bytes = (contents: string[]) =>
  Buffer.byteLength(
    JSON.stringify({ log_time_ns: 1_795_226_400_000_000_000, contents, labels: { source: "snapshot-functions" } }),
  );

/** Batches as they are sent. */
async function batchesOf(lines: string[]): Promise<string[][]> {
  const sent: string[][] = [];
  const send = async (batch: string[]) => void sent.push(batch);
  const delivery = startDelivery(send);
  for (const line of lines) delivery.add(line);
  expect(await delivery.end(() => send)).toMatchObject({ lines: lines.length, lost: 0 });
  return sent;
}

test("no records, no call", async () => {
  expect(await batchesOf([])).toEqual([]);
});

test("500 lines are one call, 501 are two", async () => {
  const lines = Array.from({ length: 501 }, (_, index) => `{"n":${index}}`);
  expect((await batchesOf(lines.slice(0, 500))).map(({ length }) => length)).toEqual([500]);
  expect((await batchesOf(lines)).map(({ length }) => length)).toEqual([500, 1]);
});

test("512 KB are counted with all that is around the lines", async () => {
  for (let short = 0; short <= 2_000; short += 50) {
    const lines = [..."ab"].map((sign) => sign.repeat(256 * KB - short / 2));
    for (const batch of await batchesOf(lines)) expect(batch.length === 1 || bytes(batch) <= 512 * KB).toBe(true);
  }
});

test("every line once, in order; at most 500 lines and 512 KB a call, unless one line alone has more", async () => {
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.nat(2_000).map((length) => "x".repeat(length)) },
    { weight: 2, arbitrary: fc.nat(20_000).map((length) => '"\\\n'.repeat(length)) },
    { weight: 2, arbitrary: fc.nat(30_000).map((length) => "é😀".repeat(length)) },
    { weight: 1, arbitrary: fc.nat(600 * KB).map((length) => "y".repeat(length)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 60 }), fc.nat(700), async (some, short) => {
      const lines = [...some, ...Array.from({ length: short }, (_, index) => `{"n":${index}}`)];
      const batches = await batchesOf(lines);
      expect(batches.flat()).toEqual(lines);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(500);
        if (batch.length > 1) expect(bytes(batch)).toBeLessThanOrEqual(512 * KB);
      }
      // No more calls than needed: what follows would not have fitted, but for a little.
      for (const [index, batch] of batches.entries()) {
        const next = batches[index + 1]?.[0];
        if (next === undefined || batch.length === 500) continue;
        expect(bytes([...batch, next])).toBeGreaterThan(510 * KB);
      }
    }),
    { numRuns: 30 },
  );
});

describe("while work goes on", () => {
  const line = (index: number) => `{"n":${index}}`;
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test("a batch that is full goes out, one after the other, and is held no more", async () => {
    const sent: number[] = [];
    let answer = () => {};
    const delivery = startDelivery((batch) => {
      sent.push(batch.length);
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    for (let index = 0; index < 500; index += 1) delivery.add(line(index));
    expect(sent).toEqual([]);
    for (let index = 500; index < 1_700; index += 1) delivery.add(line(index));
    expect(sent).toEqual([500]);
    answer();
    await settled();
    expect(sent).toEqual([500, 500]);
    const ended = delivery.end((calls) => async (batch) => void sent.push(-calls, batch.length));
    answer();
    expect(await ended).toMatchObject({ lines: 1_700, lost: 0 });
    // What was under way is waited for; the rest goes out at the end.
    expect(sent).toEqual([500, 500, -2, 500, -2, 200]);
  });

  test("what the topic refuses waits for the end, and what comes after it too: nothing twice, all in order", async () => {
    const sent: string[] = [];
    let calls = 0;
    const delivery = startDelivery(async () => {
      calls += 1;
      throw new Error("not now");
    });
    const lines = Array.from({ length: 1_600 }, (_, index) => line(index));
    for (const one of lines) {
      delivery.add(one);
      await settled();
    }
    expect(calls).toBe(1);
    expect(await delivery.end(() => async (batch) => void sent.push(...batch))).toMatchObject({
      lines: 1_600,
      lost: 0,
    });
    expect(sent).toEqual(lines);
  });

  test("what it refuses then as well is lost to it, and counted", async () => {
    const delivery = startDelivery(async () => {});
    for (let index = 0; index < 1_200; index += 1) delivery.add(line(index));
    await settled();
    const why = new Error("no");
    let calls = 0;
    const send = async () => {
      calls += 1;
      throw why;
    };
    expect(await delivery.end(() => send)).toEqual({ lines: 1_200, lost: 200, why });
    expect(calls).toBe(1);
  });
});

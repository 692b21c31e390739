import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Reason, SnapshotError } from "../../../shared/core/errors.ts";
import { startDelivery } from "../../../shared/results/log-delivery.ts";

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

  test("a batch that the topic does not take is sent again with the next full batch, then at the end, in order", async () => {
    const sent: string[] = [];
    let calls = 0;
    const delivery = startDelivery(async () => {
      calls += 1;
      throw new SnapshotError("CloudError", "not now");
    });
    const lines = Array.from({ length: 1_600 }, (_, index) => line(index));
    for (const one of lines) {
      delivery.add(one);
      await settled();
    }
    expect(calls).toBe(3);
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
    const why = new SnapshotError("AccessDenied", "no");
    let calls = 0;
    const send = async () => {
      calls += 1;
      throw why;
    };
    expect(await delivery.end(() => send)).toEqual({ lines: 1_200, lost: 200, why });
    expect(calls).toBe(1);
  });
});

describe("a topic that refuses a record for good", () => {
  const refusal = (reason: Reason = "InvalidRequest") => new SnapshotError(reason, "no");
  /** A topic that refuses each batch with a bad line. */
  function topic(isBad: (line: string) => boolean, reason?: Reason) {
    const taken: string[] = [];
    const sizes: number[] = [];
    const send = async (batch: string[]) => {
      sizes.push(batch.length);
      if (batch.some(isBad)) throw refusal(reason);
      taken.push(...batch);
    };
    return { taken, sizes, send };
  }
  const linesOf = (count: number, bad: (index: number) => boolean) =>
    Array.from({ length: count }, (_, index) => `{"n":${index},"bad":${bad(index)}}`);
  const isBad = (one: string) => one.includes("true");
  const deliver = async (lines: string[], send: (batch: string[]) => Promise<void>) => {
    const delivery = startDelivery(send);
    for (const one of lines) delivery.add(one);
    return delivery.end(() => send);
  };

  test.each<[string, number, (index: number) => boolean]>([
    ["the first record", 1_801, (index) => index === 0],
    ["a record of the first batch", 1_801, (index) => index === 250],
    ["the last record", 1_801, (index) => index === 1_800],
    ["one of two records", 2, (index) => index === 0],
    ["the first 100 records", 1_801, (index) => index < 100],
    ["60 records in a row in the middle", 500, (index) => index >= 200 && index < 260],
    ["every second record", 600, (index) => index % 2 === 0],
    ["all records but the last", 300, (index) => index < 299],
  ])("the delivery loses nothing but what the topic refuses: %s", async (_what, count, bad) => {
    const lines = linesOf(count, bad);
    const { taken, send } = topic(isBad);
    const { lost, why } = await deliver(lines, send);
    expect([...taken].sort()).toEqual(lines.filter((one) => !isBad(one)).sort());
    expect(lost).toBe(lines.filter(isBad).length);
    expect(why).toMatchObject({ reason: "InvalidRequest" });
  });

  test("the delivery keeps the order of the records around a record that the topic refuses", async () => {
    const lines = linesOf(900, (index) => index === 700);
    const { taken, send } = topic(isBad);
    await deliver(lines, send);
    expect(taken).toEqual(lines.filter((one) => !isBad(one)));
  });

  test("one refused record costs at most 20 further calls", async () => {
    for (const index of [0, 137, 499]) {
      const { sizes, send } = topic(isBad);
      await deliver(
        linesOf(500, (one) => one === index),
        send,
      );
      expect(sizes.length).toBeLessThanOrEqual(21);
    }
  });

  test.each<Reason>([
    "InvalidRequest",
    "QuotaExceeded",
    "Conflict",
    "Unsupported",
    "CloudError",
    "BadResponse",
    "Unreachable",
  ])("the delivery isolates a record that the topic refuses with %s", async (reason) => {
    const lines = linesOf(500, (index) => index === 123);
    const { taken, send } = topic(isBad, reason);
    expect(await deliver(lines, send)).toMatchObject({ lines: 500, lost: 1, why: { reason } });
    expect(taken).toHaveLength(499);
  });

  test.each<[Reason, number]>([
    ["AccessDenied", 1],
    ["AccountSuspended", 1],
    ["NotFound", 1],
    ["Throttled", 1],
    ["Unreachable", 2],
    ["DeadlineExceeded", 1],
    ["CloudError", 13],
    ["BadResponse", 13],
    ["InvalidRequest", 42],
  ])("a topic that refuses everything with %s gets at most %i calls at the end", async (reason, most) => {
    const { sizes, send } = topic(() => true, reason);
    const delivery = startDelivery(async () => {
      throw refusal(reason);
    });
    for (const one of linesOf(1_801, () => false)) delivery.add(one);
    expect(await delivery.end(() => send)).toMatchObject({ lines: 1_801, lost: 1_801, why: { reason } });
    expect(sizes.length).toBeLessThanOrEqual(most);
  });

  test("the time that runs out while a batch is divided ends the delivery and is not the reason that is told", async () => {
    const { sizes, send } = topic(isBad);
    const lines = linesOf(500, (index) => index < 20);
    let calls = 0;
    const delivery = startDelivery(send);
    for (const one of lines) delivery.add(one);
    const ended = await delivery.end(() => async (batch) => {
      calls += 1;
      if (calls > 30) throw refusal("DeadlineExceeded");
      await send(batch);
    });
    expect(calls).toBe(31);
    expect(sizes).toHaveLength(30);
    expect(ended.why).toMatchObject({ reason: "InvalidRequest" });
    expect(ended.lost).toBeGreaterThan(20);
  });

  test("a topic that can be reached no more while a batch is divided gets no further call", async () => {
    const { send } = topic(isBad, "Unreachable");
    const lines = linesOf(500, (index) => index === 123);
    let calls = 0;
    const delivery = startDelivery(send);
    for (const one of lines) delivery.add(one);
    const ended = await delivery.end(() => async (batch) => {
      calls += 1;
      if (calls > 5) throw refusal("Unreachable");
      await send(batch);
    });
    expect(calls).toBeLessThanOrEqual(20);
    expect(ended).toMatchObject({ lines: 500, why: { reason: "Unreachable" } });
  });

  test("while work goes on, the batches after a refused record are delivered", async () => {
    const lines = linesOf(2_200, (index) => index === 10);
    const { taken, send } = topic(isBad);
    const delivery = startDelivery(send);
    for (const one of lines) {
      delivery.add(one);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken.length).toBeGreaterThanOrEqual(1_999);
    expect(await delivery.end(() => send)).toMatchObject({ lines: 2_200, lost: 1 });
    expect(taken).toEqual(lines.filter((one) => !isBad(one)));
  });
});

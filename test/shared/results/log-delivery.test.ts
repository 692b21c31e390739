import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Reason, SnapshotError } from "../../../shared/core/errors.ts";
import { startDelivery } from "../../../shared/results/log-delivery.ts";

const KB = 1024;
/** Returns the number of bytes of the request that sends these lines to the logging topic. */
const requestSize = (contents: string[]) =>
  Buffer.byteLength(
    JSON.stringify({ log_time_ns: 1_795_226_400_000_000_000, contents, labels: { source: "snapshot-functions" } }),
  );

/** Delivers the lines and returns the batches that were sent. */
async function batchesOf(lines: string[]): Promise<string[][]> {
  const sent: string[][] = [];
  const send = async (batch: string[]) => void sent.push(batch);
  const delivery = startDelivery(send);
  for (const line of lines) delivery.add(line);
  expect(await delivery.end(() => send)).toMatchObject({ lines: lines.length, lost: 0 });
  return sent;
}

test("the log delivery sends no request if there are no lines", async () => {
  expect(await batchesOf([])).toEqual([]);
});

test("the log delivery sends 500 lines in one batch and 501 lines in two batches", async () => {
  const lines = Array.from({ length: 501 }, (_, index) => `{"n":${index}}`);
  expect((await batchesOf(lines.slice(0, 500))).map(({ length }) => length)).toEqual([500]);
  expect((await batchesOf(lines)).map(({ length }) => length)).toEqual([500, 1]);
});

test("the log delivery sends at most 512 KB per request, including the JSON around the lines", async () => {
  for (let short = 0; short <= 2_000; short += 50) {
    const lines = [..."ab"].map((letter) => letter.repeat(256 * KB - short / 2));
    for (const batch of await batchesOf(lines)) expect(batch.length === 1 || requestSize(batch) <= 512 * KB).toBe(true);
  }
});

test("the log delivery sends every line once and in order, in the fewest batches of at most 500 lines and 512 KB", async () => {
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.nat(2_000).map((length) => "x".repeat(length)) },
    { weight: 2, arbitrary: fc.nat(20_000).map((length) => '"\\\n'.repeat(length)) },
    { weight: 2, arbitrary: fc.nat(30_000).map((length) => "é😀".repeat(length)) },
    { weight: 1, arbitrary: fc.nat(600 * KB).map((length) => "y".repeat(length)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 60 }), fc.nat(700), async (long, short) => {
      const lines = [...long, ...Array.from({ length: short }, (_, index) => `{"n":${index}}`)];
      const batches = await batchesOf(lines);
      expect(batches.flat()).toEqual(lines);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(500);
        if (batch.length > 1) expect(requestSize(batch)).toBeLessThanOrEqual(512 * KB);
      }
      // No batch is smaller than necessary: the next line would have exceeded the limit.
      for (const [index, batch] of batches.entries()) {
        const next = batches[index + 1]?.[0];
        if (next === undefined || batch.length === 500) continue;
        expect(requestSize([...batch, next])).toBeGreaterThan(510 * KB);
      }
    }),
    { numRuns: 30 },
  );
});

describe("the log delivery during a run", () => {
  const line = (index: number) => `{"n":${index}}`;
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test("the log delivery sends each batch of 500 lines during the run, after it has delivered the previous batch", async () => {
    const sent: number[] = [];
    let respond = () => {};
    const delivery = startDelivery((batch) => {
      sent.push(batch.length);
      return new Promise((resolve) => {
        respond = resolve;
      });
    });
    for (let index = 0; index < 500; index += 1) delivery.add(line(index));
    expect(sent).toEqual([]);
    for (let index = 500; index < 1_700; index += 1) delivery.add(line(index));
    expect(sent).toEqual([500]);
    respond();
    await settled();
    expect(sent).toEqual([500, 500]);
    const ended = delivery.end((calls) => async (batch) => void sent.push(-calls, batch.length));
    respond();
    expect(await ended).toMatchObject({ lines: 1_700, lost: 0 });
    // `end` waits for the second batch and sends the two remaining batches. Each -2 is the negated number of remaining batches.
    expect(sent).toEqual([500, 500, -2, 500, -2, 200]);
  });

  test("the log delivery repeats a failed batch after the next 500 lines and at the end of the run, and keeps the order of the lines", async () => {
    const sent: string[] = [];
    let calls = 0;
    const delivery = startDelivery(async () => {
      calls += 1;
      throw new SnapshotError("CloudError", "not now");
    });
    const lines = Array.from({ length: 1_600 }, (_, index) => line(index));
    for (const text of lines) {
      delivery.add(text);
      await settled();
    }
    expect(calls).toBe(3);
    expect(await delivery.end(() => async (batch) => void sent.push(...batch))).toMatchObject({
      lines: 1_600,
      lost: 0,
    });
    expect(sent).toEqual(lines);
  });

  test("the log delivery returns how many lines it lost if the topic rejects the last batch at the end of the run", async () => {
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

describe("a logging topic that rejects some records permanently", () => {
  const rejection = (reason: Reason = "InvalidRequest") => new SnapshotError(reason, "no");
  /** Creates a logging topic that rejects every batch that contains a bad line. */
  function createTopic(isBad: (line: string) => boolean, reason?: Reason) {
    const accepted: string[] = [];
    const sizes: number[] = [];
    const send = async (batch: string[]) => {
      sizes.push(batch.length);
      if (batch.some(isBad)) throw rejection(reason);
      accepted.push(...batch);
    };
    return { accepted, sizes, send };
  }
  const linesOf = (count: number, bad: (index: number) => boolean) =>
    Array.from({ length: count }, (_, index) => `{"n":${index},"bad":${bad(index)}}`);
  const isBad = (line: string) => line.includes("true");
  type Send = (batch: string[]) => Promise<void>;
  const deliver = async (lines: string[], send: Send, sendAtEnd = send) => {
    const delivery = startDelivery(send);
    for (const line of lines) delivery.add(line);
    return delivery.end(() => sendAtEnd);
  };

  test.each<[string, number, (index: number) => boolean]>([
    ["the first record", 1_801, (index) => index === 0],
    ["a record of the first batch", 1_801, (index) => index === 250],
    ["the last record", 1_801, (index) => index === 1_800],
    ["one of two records", 2, (index) => index === 0],
    ["the first 100 records", 1_801, (index) => index < 100],
    ["60 consecutive records in the middle", 500, (index) => index >= 200 && index < 260],
    ["every second record", 600, (index) => index % 2 === 0],
    ["all records but the last", 300, (index) => index < 299],
  ])("the log delivery delivers all other records if the topic rejects %s", async (_what, count, bad) => {
    const lines = linesOf(count, bad);
    const { accepted, send } = createTopic(isBad);
    const { lost, why } = await deliver(lines, send);
    expect([...accepted].sort()).toEqual(lines.filter((line) => !isBad(line)).sort());
    expect(lost).toBe(lines.filter(isBad).length);
    expect(why).toMatchObject({ reason: "InvalidRequest" });
  });

  test("the log delivery keeps the order of the accepted records if the topic rejects one record", async () => {
    const lines = linesOf(900, (index) => index === 700);
    const { accepted, send } = createTopic(isBad);
    await deliver(lines, send);
    expect(accepted).toEqual(lines.filter((line) => !isBad(line)));
  });

  test("the log delivery needs at most 21 requests to deliver 500 records if the topic rejects one record", async () => {
    for (const index of [0, 137, 499]) {
      const { sizes, send } = createTopic(isBad);
      await deliver(
        linesOf(500, (bad) => bad === index),
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
  ])("the log delivery loses only one of 500 records if the topic rejects one record with %s", async (reason) => {
    const lines = linesOf(500, (index) => index === 123);
    const { accepted, send } = createTopic(isBad, reason);
    expect(await deliver(lines, send)).toMatchObject({ lines: 500, lost: 1, why: { reason } });
    expect(accepted).toHaveLength(499);
  });

  test.each<[maxRequests: string, reason: Reason]>([
    ["1 request", "AccessDenied"],
    ["1 request", "AccountSuspended"],
    ["1 request", "NotFound"],
    ["1 request", "Throttled"],
    ["2 requests", "Unreachable"],
    ["1 request", "DeadlineExceeded"],
    ["13 requests", "CloudError"],
    ["13 requests", "BadResponse"],
    ["42 requests", "InvalidRequest"],
  ])(
    "the log delivery gives up after at most %s at the end of the run if the topic rejects every batch with %s",
    async (maxRequests, reason) => {
      const { sizes, send } = createTopic(() => true, reason);
      const delivery = startDelivery(async () => {
        throw rejection(reason);
      });
      for (const line of linesOf(1_801, () => false)) delivery.add(line);
      expect(await delivery.end(() => send)).toMatchObject({ lines: 1_801, lost: 1_801, why: { reason } });
      expect(sizes.length).toBeLessThanOrEqual(Number.parseInt(maxRequests, 10));
    },
  );

  test("the log delivery stops and returns the first error if the time runs out during the search for rejected records", async () => {
    const { sizes, send } = createTopic(isBad);
    const lines = linesOf(500, (index) => index < 20);
    let calls = 0;
    const ended = await deliver(lines, send, async (batch) => {
      calls += 1;
      if (calls > 30) throw rejection("DeadlineExceeded");
      await send(batch);
    });
    expect(calls).toBe(31);
    expect(sizes).toHaveLength(30);
    expect(ended.why).toMatchObject({ reason: "InvalidRequest" });
    expect(ended.lost).toBeGreaterThan(20);
  });

  test("the log delivery stops after at most 20 requests if the topic becomes unreachable during the search for a rejected record", async () => {
    const { send } = createTopic(isBad, "Unreachable");
    const lines = linesOf(500, (index) => index === 123);
    let calls = 0;
    const ended = await deliver(lines, send, async (batch) => {
      calls += 1;
      if (calls > 5) throw rejection("Unreachable");
      await send(batch);
    });
    expect(calls).toBeLessThanOrEqual(20);
    expect(ended).toMatchObject({ lines: 500, why: { reason: "Unreachable" } });
  });

  test("the log delivery continues to send batches during the run after the topic has rejected a record", async () => {
    const lines = linesOf(2_200, (index) => index === 10);
    const { accepted, send } = createTopic(isBad);
    const delivery = startDelivery(send);
    for (const text of lines) {
      delivery.add(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(accepted.length).toBeGreaterThanOrEqual(1_999);
    expect(await delivery.end(() => send)).toMatchObject({ lines: 2_200, lost: 1 });
    expect(accepted).toEqual(lines.filter((line) => !isBad(line)));
  });
});

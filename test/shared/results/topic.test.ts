import fc from "fast-check";
import { expect, test } from "vitest";
import { batchesOf } from "../../../shared/results/topic.ts";

const KB = 1024;
/** What goes over the wire for a batch. */
const bytes = (contents: string[]) =>
  Buffer.byteLength(
    JSON.stringify({ log_time_ns: 1_795_226_400_000_000_000, contents, labels: { source: "snapshot-functions" } }),
  );

test("no records, no call", () => {
  expect(batchesOf([])).toEqual([]);
});

test("500 lines are one call, 501 are two", () => {
  const lines = Array.from({ length: 501 }, (_, index) => `{"n":${index}}`);
  expect(batchesOf(lines.slice(0, 500)).map(({ length }) => length)).toEqual([500]);
  expect(batchesOf(lines).map(({ length }) => length)).toEqual([500, 1]);
});

test("512 KB are counted with all that is around the lines", () => {
  for (let short = 0; short <= 2_000; short += 50) {
    const lines = [..."ab"].map((sign) => sign.repeat(256 * KB - short / 2));
    for (const batch of batchesOf(lines)) expect(batch.length === 1 || bytes(batch) <= 512 * KB).toBe(true);
  }
});

test("every line once, in order; at most 500 lines and 512 KB a call, unless one line alone has more", () => {
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.nat(2_000).map((length) => "x".repeat(length)) },
    { weight: 2, arbitrary: fc.nat(20_000).map((length) => '"\\\n'.repeat(length)) },
    { weight: 2, arbitrary: fc.nat(30_000).map((length) => "é😀".repeat(length)) },
    { weight: 1, arbitrary: fc.nat(600 * KB).map((length) => "y".repeat(length)) },
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), fc.nat(700), (some, short) => {
      const lines = [...some, ...Array.from({ length: short }, (_, index) => `{"n":${index}}`)];
      const batches = batchesOf(lines);
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

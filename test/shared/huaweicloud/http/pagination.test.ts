/** Lists that change while they are read: what was there all the time is read, or it is said that the list is not whole. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../shared/core/json.ts";
import { evsV2 } from "../../../../shared/huaweicloud/evs-v2.ts";
import { allRows, collected, type Page } from "../../../../shared/huaweicloud/http/pagination.ts";
import { parseResponse } from "../../../../shared/huaweicloud/http/response-json.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { answering, connectionTo } from "../../../support/wire.ts";

const row = (id: number) => ({ id: `row-${id}` });
const NO_CHANGES: (() => void)[] = [];

/** A service that gives at most `size` rows from an offset on, and whose list changes before each further page. */
function serviceOf(rows: { id: string }[], size: number, counts: boolean, changes = NO_CHANGES) {
  let asked = 0;
  const page = async (offset: number) => {
    if (asked > 0) changes[asked - 1]?.();
    asked += 1;
    return { rows: rows.slice(offset, offset + size), ...(counts ? { total: rows.length } : {}) };
  };
  return { page, asked: () => asked };
}

const rowsOf = (page: (offset: number) => Promise<Page>) => collected<JsonObject>((visit) => allRows(page, visit));

const idsOf = (rows: readonly { id?: unknown }[]) => rows.map(({ id }) => id);

describe.each([true, false])("a list whose service counts it: %s", (counts) => {
  test.each([0, 1, 2, 9, 10, 11, 19, 20, 21, 100])("of %i rows in pages of 10 is read whole", async (length) => {
    const rows = Array.from({ length }, (_, id) => row(id));
    expect(idsOf(await rowsOf(serviceOf(rows, 10, counts).page))).toEqual(idsOf(rows));
  });

  test("whose service knows no offsets and gives it whole each time is read once", async () => {
    const rows = [row(1), row(2), row(3)];
    const page = async () => ({ rows, ...(counts ? { total: 3 } : {}) });
    expect(await rowsOf(page)).toEqual(rows);
  });

  test("misses none of what stays, whatever comes and goes between two pages", { timeout: 120_000 }, async () => {
    const change = fc.record({ remove: fc.array(fc.nat({ max: 400 }), { maxLength: 20 }), add: fc.nat({ max: 5 }) });
    const list = fc.record({
      length: fc.nat({ max: 400 }),
      // Between two pages fewer come than a page holds.
      size: fc.integer({ min: 8, max: 100 }),
      changes: fc.array(change, { maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(list, async ({ length, size, changes }) => {
        const rows = Array.from({ length }, (_, id) => row(id));
        const gone = new Set<string>();
        const service = serviceOf(
          rows,
          size,
          counts,
          changes.map(({ remove, add }, number) => () => {
            for (const place of remove) for (const { id } of rows.splice(place, 1)) gone.add(id);
            // The newest come first.
            for (let one = 0; one < add; one += 1) rows.unshift({ id: `new-${number}-${one}` });
          }),
        );
        const stay = Array.from({ length }, (_, id) => row(id).id);
        const read = await rowsOf(service.page).catch((error) => error);
        if (read instanceof Error) {
          expect(read).toMatchObject({ name: "BadResponse", message: expect.stringContaining("a whole list") });
          return;
        }
        const missed = stay.filter((id) => !gone.has(id) && !read.some((one: JsonObject) => one.id === id));
        expect(missed).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 1_000) },
    );
  });

  test("of 10,000 rows from which one goes between each two pages is read in about twice its pages", async () => {
    const rows = Array.from({ length: 10_000 }, (_, id) => row(id));
    const all = [...rows];
    const changes = Array.from({ length: 100 }, (_, number) => () => void rows.splice(number, 1));
    const service = serviceOf(rows, 1_000, counts, changes);
    const read = new Set(idsOf(await rowsOf(service.page)));
    expect(rows.filter(({ id }) => !read.has(id))).toEqual([]);
    expect(all.length).toBe(10_000);
    expect(service.asked()).toBeLessThan(25);
  });
});

test("a list that moves faster than it can be read is no list", async () => {
  let next = 0;
  const page = async () => ({ rows: Array.from({ length: 10 }, () => row(++next)) });
  await expect(rowsOf(page)).rejects.toThrow(/a whole list, got 90 rows of it: its rows kept moving/);
});

test("a list that counts more than it gives is not whole", async () => {
  const page = async (offset: number) => ({
    rows: offset > 9 ? [] : Array.from({ length: 10 - offset }, (_, id) => row(offset + id)),
    total: 500,
  });
  await expect(rowsOf(page)).rejects.toThrow(/a whole list, got 10 rows of it: it counts 500/);
});

describe("a list that is larger than a small function has memory for", () => {
  const snapshotRow = (id: number, description: string) => ({ id: `row-${id}`, status: "available", description });

  /** Returns a service whose rows have that many characters, and the page sizes that the reader requested. */
  async function listing(rows: number, characters: number) {
    const all = Array.from({ length: rows }, (_, id) => snapshotRow(id, "x".repeat(characters)));
    const limits: number[] = [];
    const server = await answering((incoming, response) => {
      const query = new URL(incoming.url ?? "", "http://localhost").searchParams;
      const [offset, limit] = [Number(query.get("offset")), Number(query.get("limit"))];
      limits.push(limit);
      response.end(JSON.stringify({ count: rows, snapshots: all.slice(offset, offset + limit) }));
    });
    const found: string[] = [];
    const list = evsV2(connectionTo(server.origin)).listAll((one: FoundSnapshot) => void found.push(one.id));
    return { list, found, limits };
  }

  test("pages of more than 4 MiB are asked for again with half as many rows, and every row is read once", async () => {
    const { list, found, limits } = await listing(1_500, 10_000);
    await list;
    expect(found).toEqual(Array.from({ length: 1_500 }, (_, id) => `row-${id}`));
    expect(limits.slice(0, 4)).toEqual([1_000, 500, 250, 250]);
  });

  test("a list of single rows that are larger than a page is an error, not an empty list", async () => {
    const { list, found } = await listing(20, 5 * 1024 * 1024);
    await expect(list).rejects.toMatchObject({
      reason: "BadResponse",
      message: expect.stringContaining("more than 4194304 bytes"),
    });
    expect(found).toEqual([]);
  });

  test("a list that never ends is refused as incomplete after 250,000 rows", async () => {
    const page = async (offset: number, limit: number) => ({
      rows: Array.from({ length: limit }, (_, n) => row(offset + n)),
    });
    await expect(allRows(page, () => {})).rejects.toThrow(/250000 rows of it: more than 250000 rows are not read/);
  });

  test("a body of more values than there is memory for is not parsed", () => {
    const objects = (count: number) => `[${Array(count).fill("{}").join(",")}]`;
    expect(parseResponse(objects(110_000))).toBeUndefined();
    expect(parseResponse(objects(90_000))).toHaveLength(90_000);
    expect(parseResponse(`["${",".repeat(1_000)}"]`)).toHaveLength(1);
  });
});

/** Tests that visitAllRows either visits every row of a list that changes between two pages, or throws an error. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../shared/core/json.ts";
import { createEvsV2Client } from "../../../../shared/huaweicloud/evs-v2.ts";
import { collectItems, type Page, visitAllRows } from "../../../../shared/huaweicloud/http/pagination.ts";
import { parseResponse } from "../../../../shared/huaweicloud/http/response-json.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { connectionTo, startHttpServer } from "../../../support/wire.ts";

const row = (id: number) => ({ id: `row-${id}` });
const NO_CHANGES: (() => void)[] = [];

/** Creates a service that returns pages of `size` rows and calls the next function in `changes` between two pages. */
function serviceOf(rows: { id: string }[], size: number, hasCount: boolean, changes = NO_CHANGES) {
  let requested = 0;
  const page = async (offset: number) => {
    if (requested > 0) changes[requested - 1]?.();
    requested += 1;
    return { rows: rows.slice(offset, offset + size), ...(hasCount ? { total: rows.length } : {}) };
  };
  return { page, requested: () => requested };
}

const rowsOf = (page: (offset: number) => Promise<Page>) =>
  collectItems<JsonObject>((visit) => visitAllRows(page, visit));

const idsOf = (rows: readonly { id?: unknown }[]) => rows.map(({ id }) => id);

describe.each([
  ["each page has a total count", true],
  ["no page has a total count", false],
])("the rows of a list in which %s", (condition, hasCount) => {
  test.each([0, 1, 2, 9, 10, 11, 19, 20, 21, 100])(
    `visitAllRows reads every row of a list of length %i in pages of 10 rows if ${condition}`,
    async (length) => {
      const rows = Array.from({ length }, (_, id) => row(id));
      expect(idsOf(await rowsOf(serviceOf(rows, 10, hasCount).page))).toEqual(idsOf(rows));
    },
  );

  test(`visitAllRows ${hasCount ? "visits each row once" : "fails"} if the service ignores the offset and ${condition}`, async () => {
    const rows = [row(1), row(2), row(3)];
    const list = rowsOf(async () => ({ rows, ...(hasCount ? { total: 3 } : {}) }));
    if (hasCount) expect(await list).toEqual(rows);
    else await expect(list).rejects.toThrow(/read only 3 rows: the service returns the same page for each offset/);
  });

  test(`visitAllRows visits every row that is not deleted, or throws an error, if rows are added and deleted between two pages and ${condition}`, {
    timeout: 120_000,
  }, async () => {
    const change = fc.record({ remove: fc.array(fc.nat({ max: 400 }), { maxLength: 20 }), add: fc.nat({ max: 5 }) });
    const list = fc.record({
      length: fc.nat({ max: 400 }),
      // Fewer rows are added between two pages than a page contains.
      size: fc.integer({ min: 8, max: 100 }),
      changes: fc.array(change, { maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(list, async ({ length, size, changes }) => {
        const rows = Array.from({ length }, (_, id) => row(id));
        const deleted = new Set<string>();
        const service = serviceOf(
          rows,
          size,
          hasCount,
          changes.map(({ remove, add }, number) => () => {
            for (const place of remove) for (const { id } of rows.splice(place, 1)) deleted.add(id);
            // The list starts with the newest rows.
            for (let index = 0; index < add; index += 1) rows.unshift({ id: `new-${number}-${index}` });
          }),
        );
        const original = Array.from({ length }, (_, id) => row(id).id);
        const read = await rowsOf(service.page).catch((error) => error);
        if (read instanceof Error) {
          expect(read).toMatchObject({ name: "BadResponse", message: expect.stringContaining("a complete list") });
          return;
        }
        const missed = original.filter((id) => !deleted.has(id) && !read.some((found: JsonObject) => found.id === id));
        expect(missed).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 1_000) },
    );
  });

  test(`visitAllRows needs fewer than 25 pages of 1,000 rows for 10,000 rows if a row is deleted after each page and ${condition}`, async () => {
    const rows = Array.from({ length: 10_000 }, (_, id) => row(id));
    const all = [...rows];
    const changes = Array.from({ length: 100 }, (_, number) => () => void rows.splice(number, 1));
    const service = serviceOf(rows, 1_000, hasCount, changes);
    const read = new Set(idsOf(await rowsOf(service.page)));
    expect(rows.filter(({ id }) => !read.has(id))).toEqual([]);
    expect(all.length).toBe(10_000);
    expect(service.requested()).toBeLessThan(25);
  });
});

test("visitAllRows fails if every page contains only new rows, so the list never ends", async () => {
  let next = 0;
  const page = async () => ({ rows: Array.from({ length: 10 }, () => row(++next)) });
  await expect(rowsOf(page)).rejects.toThrow(/a complete list, read only 90 rows: its rows kept moving/);
});

test.each([
  ["the number of rows of the page", 10],
  ["0", 0],
])("visitAllRows reads all of 35 rows in pages of 10 if the total count of each page is %s", async (_, total) => {
  const rows = Array.from({ length: 35 }, (_, id) => row(id));
  const { page } = serviceOf(rows, 10, false);
  expect(await rowsOf(async (offset) => ({ ...(await page(offset)), total }))).toEqual(rows);
});

test("visitAllRows reads all of 3 rows in pages of one row", async () => {
  const rows = [row(1), row(2), row(3)];
  expect(await rowsOf(async (offset) => ({ rows: rows.slice(offset, offset + 1) }))).toEqual(rows);
});

test.each(["", null, undefined, true, {}])(
  "visitAllRows visits each of 3 different rows once if the id of all rows is %j",
  async (id) => {
    const rows = ["a", "b", "c"].map((name) => ({ id, name }));
    const page = async (offset: number) => ({ rows: structuredClone(rows).slice(offset, offset + 2) });
    expect(await rowsOf(page)).toEqual(rows);
  },
);

test("visitAllRows reads a list again if its total count is larger than the number of its rows", async () => {
  const rows = Array.from({ length: 9 }, (_, id) => row(id));
  let requests = 0;
  const page = async (offset: number) => {
    requests += 1;
    // The first reading misses the last row.
    return { rows: rows.slice(offset, requests <= 2 ? 8 : 9), total: 9 };
  };
  expect(await rowsOf(page)).toEqual(rows);
});

test("visitAllRows fails if the total count of a list response is larger by one than the number of its rows", async () => {
  const page = async (offset: number) => ({ rows: [row(1), row(2), row(3)].slice(offset), total: 4 });
  await expect(rowsOf(page)).rejects.toThrow(/a complete list, read only 3 rows: the service counts 4/);
});

test("visitAllRows fails if the total count of a list response is larger than the number of its rows", async () => {
  const page = async (offset: number) => ({
    rows: offset > 9 ? [] : Array.from({ length: 10 - offset }, (_, id) => row(offset + id)),
    total: 500,
  });
  await expect(rowsOf(page)).rejects.toThrow(/a complete list, read only 10 rows: the service counts 500/);
});

describe("a list that does not fit into the memory of a function", () => {
  const snapshotRow = (id: number, description: string) => ({ id: `row-${id}`, status: "available", description });

  /** Lists `rows` snapshots with descriptions of `characters` characters. Returns the ids found and the page sizes requested. */
  async function listRows(rows: number, characters: number) {
    const all = Array.from({ length: rows }, (_, id) => snapshotRow(id, "x".repeat(characters)));
    const limits: number[] = [];
    const server = await startHttpServer((incoming, response) => {
      const query = new URL(incoming.url ?? "", "http://localhost").searchParams;
      const [offset, limit] = [Number(query.get("offset")), Number(query.get("limit"))];
      limits.push(limit);
      response.end(JSON.stringify({ count: rows, snapshots: all.slice(offset, offset + limit) }));
    });
    const found: string[] = [];
    const list = createEvsV2Client(connectionTo(server.origin)).listAll(({ id }: FoundSnapshot) => void found.push(id));
    return { list, found, limits };
  }

  test("visitAllRows halves the page size if a page has more than 4 MiB, and visits every row once", async () => {
    const { list, found, limits } = await listRows(1_500, 10_000);
    await list;
    expect(found).toEqual(Array.from({ length: 1_500 }, (_, id) => `row-${id}`));
    expect(limits.slice(0, 4)).toEqual([1_000, 500, 250, 250]);
  });

  test("visitAllRows fails if a single row has more than 4 MiB", async () => {
    const { list, found } = await listRows(2, 5 * 1024 * 1024);
    await expect(list).rejects.toMatchObject({
      reason: "BadResponse",
      message: expect.stringContaining("longer than 4194304 bytes"),
    });
    expect(found).toEqual([]);
  });

  test("visitAllRows fails if a list has more than 250,000 rows", async () => {
    const page = async (offset: number, limit: number) => ({
      rows: Array.from({ length: limit }, (_, n) => row(offset + n)),
    });
    await expect(visitAllRows(page, () => {})).rejects.toThrow(/250000 rows: the maximum is 250000/);
  });

  test("parseResponse returns undefined for a body with 110,000 objects, but parses one with 90,000", () => {
    const objects = (count: number) => `[${Array(count).fill("{}").join(",")}]`;
    expect(parseResponse(objects(110_000))).toBeUndefined();
    expect(parseResponse(objects(90_000))).toHaveLength(90_000);
    expect(parseResponse(`["${",".repeat(1_000)}"]`)).toHaveLength(1);
  });
});

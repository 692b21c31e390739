/** Tests lists that change while they are read: every row that exists throughout is read, or reading fails. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../shared/core/json.ts";
import { evsV2 } from "../../../../shared/huaweicloud/evs-v2.ts";
import { allRows, collected, type Page } from "../../../../shared/huaweicloud/http/pagination.ts";
import { parseResponse } from "../../../../shared/huaweicloud/http/response-json.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { connectionTo, startHttpServer } from "../../../support/wire.ts";

const row = (id: number) => ({ id: `row-${id}` });
const NO_CHANGES: (() => void)[] = [];

/** Creates a service that returns at most `size` rows from an offset. Its list changes before each page but the first. */
function serviceOf(rows: { id: string }[], size: number, counts: boolean, changes = NO_CHANGES) {
  let requested = 0;
  const page = async (offset: number) => {
    if (requested > 0) changes[requested - 1]?.();
    requested += 1;
    return { rows: rows.slice(offset, offset + size), ...(counts ? { total: rows.length } : {}) };
  };
  return { page, requested: () => requested };
}

const rowsOf = (page: (offset: number) => Promise<Page>) => collected<JsonObject>((visit) => allRows(page, visit));

const idsOf = (rows: readonly { id?: unknown }[]) => rows.map(({ id }) => id);

describe.each([
  ["with a count", true],
  ["without a count", false],
])("a list %s", (name, counts) => {
  test.each([0, 1, 2, 9, 10, 11, 19, 20, 21, 100])(
    `allRows reads all of %i rows in pages of 10 from a list ${name}`,
    async (length) => {
      const rows = Array.from({ length }, (_, id) => row(id));
      expect(idsOf(await rowsOf(serviceOf(rows, 10, counts).page))).toEqual(idsOf(rows));
    },
  );

  test(`allRows visits each row once if the service ignores offsets, for a list ${name}`, async () => {
    const rows = [row(1), row(2), row(3)];
    const page = async () => ({ rows, ...(counts ? { total: 3 } : {}) });
    expect(await rowsOf(page)).toEqual(rows);
  });

  test(`allRows misses no row that exists throughout, whatever changes between two pages of a list ${name}`, {
    timeout: 120_000,
  }, async () => {
    const change = fc.record({ remove: fc.array(fc.nat({ max: 400 }), { maxLength: 20 }), add: fc.nat({ max: 5 }) });
    const list = fc.record({
      length: fc.nat({ max: 400 }),
      // Fewer rows are added between two pages than a page has.
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
          counts,
          changes.map(({ remove, add }, number) => () => {
            for (const place of remove) for (const { id } of rows.splice(place, 1)) deleted.add(id);
            // The newest rows come first.
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

  test(`allRows reads 10,000 rows in about twice as many pages if a row is deleted between each two pages of a list ${name}`, async () => {
    const rows = Array.from({ length: 10_000 }, (_, id) => row(id));
    const all = [...rows];
    const changes = Array.from({ length: 100 }, (_, number) => () => void rows.splice(number, 1));
    const service = serviceOf(rows, 1_000, counts, changes);
    const read = new Set(idsOf(await rowsOf(service.page)));
    expect(rows.filter(({ id }) => !read.has(id))).toEqual([]);
    expect(all.length).toBe(10_000);
    expect(service.requested()).toBeLessThan(25);
  });
});

test("allRows rejects a list whose rows keep moving", async () => {
  let next = 0;
  const page = async () => ({ rows: Array.from({ length: 10 }, () => row(++next)) });
  await expect(rowsOf(page)).rejects.toThrow(/a complete list, got 90 rows of it: its rows kept moving/);
});

test("allRows rejects a list that counts more rows than it has", async () => {
  const page = async (offset: number) => ({
    rows: offset > 9 ? [] : Array.from({ length: 10 - offset }, (_, id) => row(offset + id)),
    total: 500,
  });
  await expect(rowsOf(page)).rejects.toThrow(/a complete list, got 10 rows of it: it counts 500/);
});

describe("a list that does not fit into the memory of a small function", () => {
  const snapshotRow = (id: number, description: string) => ({ id: `row-${id}`, status: "available", description });

  /** Lists `rows` rows of `characters` characters. Returns the ids found so far and the page sizes that were requested. */
  async function listing(rows: number, characters: number) {
    const all = Array.from({ length: rows }, (_, id) => snapshotRow(id, "x".repeat(characters)));
    const limits: number[] = [];
    const server = await startHttpServer((incoming, response) => {
      const query = new URL(incoming.url ?? "", "http://localhost").searchParams;
      const [offset, limit] = [Number(query.get("offset")), Number(query.get("limit"))];
      limits.push(limit);
      response.end(JSON.stringify({ count: rows, snapshots: all.slice(offset, offset + limit) }));
    });
    const found: string[] = [];
    const list = evsV2(connectionTo(server.origin)).listAll(({ id }: FoundSnapshot) => void found.push(id));
    return { list, found, limits };
  }

  test("allRows requests a page of more than 4 MiB again with half as many rows and visits every row once", async () => {
    const { list, found, limits } = await listing(1_500, 10_000);
    await list;
    expect(found).toEqual(Array.from({ length: 1_500 }, (_, id) => `row-${id}`));
    expect(limits.slice(0, 4)).toEqual([1_000, 500, 250, 250]);
  });

  test("allRows rejects a list whose rows are larger than 4 MiB", async () => {
    const { list, found } = await listing(2, 5 * 1024 * 1024);
    await expect(list).rejects.toMatchObject({
      reason: "BadResponse",
      message: expect.stringContaining("more than 4194304 bytes"),
    });
    expect(found).toEqual([]);
  });

  test("allRows rejects a list of more than 250,000 rows", async () => {
    const page = async (offset: number, limit: number) => ({
      rows: Array.from({ length: limit }, (_, n) => row(offset + n)),
    });
    await expect(allRows(page, () => {})).rejects.toThrow(/250000 rows of it: more than 250000 rows are not read/);
  });

  test("parseResponse does not parse a body with more values than fit into the memory", () => {
    const objects = (count: number) => `[${Array(count).fill("{}").join(",")}]`;
    expect(parseResponse(objects(110_000))).toBeUndefined();
    expect(parseResponse(objects(90_000))).toHaveLength(90_000);
    expect(parseResponse(`["${",".repeat(1_000)}"]`)).toHaveLength(1);
  });
});

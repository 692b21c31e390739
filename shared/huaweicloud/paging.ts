import { isObject, type JsonObject, textAt, textMap } from "../snapshots/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import type { Resource } from "../snapshots/ports.ts";
import { type Answer, unusable } from "./client.ts";

/** The most that EVS gives at once (cloud-apis.md 1.2, 2.1). */
export const EVS_PAGE = 1_000;

/** The rows of a list's answer. A list without its array is no empty list: it says nothing about what exists. */
export function rowsOf(answer: Answer, name: string): JsonObject[] {
  const rows = answer.body[name];
  if (!Array.isArray(rows) || !rows.every(isObject)) throw unusable(`the list "${name}", of objects`, answer);
  return rows;
}

/** How often a list that changes while it is read is read again. */
const READINGS = 5;

/**
 * All rows of an EVS list, whose offset counts rows (ECS and DWS count pages, cloud-apis.md 7). Each page begins with the
 * last row of the one before it: where it does not, something was deleted or created meanwhile and rows have moved, so
 * that one could have been missed, and the list is read again. What an earlier reading found stays found.
 * Ends with a page that is short; the links in an answer are never followed (they name internal addresses,
 * cloud-apis.md 1.2).
 *
 * @param page the rows from an offset on, at most EVS_PAGE
 */
export async function allRows(page: (offset: number) => Promise<JsonObject[]>): Promise<JsonObject[]> {
  const found = new Map<unknown, JsonObject>();
  for (let reading = 1; reading <= READINGS; reading += 1) {
    if (await readOnce(page, found)) break;
  }
  return [...found.values()];
}

/** False where the list changed while it was read. */
async function readOnce(
  page: (offset: number) => Promise<JsonObject[]>,
  found: Map<unknown, JsonObject>,
): Promise<boolean> {
  let last: unknown;
  let offset = 0;
  for (;;) {
    const rows = await page(offset);
    for (const row of rows) found.set(row.id, row);
    if (offset > 0 && rows[0]?.id !== last) return false;
    // A page of one row is the overlap alone: a list that gives no more, whatever it counts.
    if (rows.length < EVS_PAGE) return true;
    last = rows.at(-1)?.id;
    offset += rows.length - 1;
  }
}

/**
 * All rows of the ECS list, whose offset counts pages from 1 (cloud-apis.md 7): pages cannot overlap, so a total that
 * changes from one page to the next has the list read again.
 */
export async function allPages(
  page: (number: number) => Promise<{ rows: JsonObject[]; total: unknown }>,
  size: number,
): Promise<JsonObject[]> {
  const found = new Map<unknown, JsonObject>();
  for (let reading = 1; reading <= READINGS; reading += 1) {
    const totals = new Set<unknown>();
    for (let number = 1; ; number += 1) {
      const { rows, total } = await page(number);
      for (const row of rows) found.set(row.id, row);
      totals.add(total);
      if (rows.length < size) break;
    }
    if (totals.size === 1) break;
  }
  return [...found.values()];
}

/** Rows as resources: id and tags, in whichever of the three shapes the service gives them. */
export const readResources = (rows: JsonObject[], what: string): Resource[] =>
  rows.map((row) => {
    const id = textAt(row, "id");
    if (id) return { id, tags: textMap(row.tags) };
    throw unusable(`an id in each entry of the list of ${what}`, { status: 200, text: JSON.stringify(row) });
  });

/** Rows as snapshots of a kind; a row without id or status could be the one that is looked for, so it is an error. */
export const readAll = (kind: Kind, rows: JsonObject[]): FoundSnapshot[] =>
  rows.map((row) => {
    const found = kind.read(row);
    if (found !== undefined) return found;
    const text = JSON.stringify(row);
    throw unusable(`an id and a status in each entry of the list of ${kind.kind}s`, { status: 200, text });
  });

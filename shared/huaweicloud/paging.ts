import { isObject, type JsonObject, textAt, textMap } from "../snapshots/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import type { Resource } from "../snapshots/ports.ts";
import { type Answer, unusable } from "./client.ts";

/** The most that EVS gives at once (cloud-apis.md 1.2, 2.1). */
export const EVS_PAGE = 1_000;

/** A page of a list's answer. A list without its array is no empty list: it says nothing about what exists. */
export function pageOf(answer: Answer, name: string): Page {
  const rows = answer.body[name];
  if (!Array.isArray(rows) || !rows.every(isObject)) throw unusable(`the list "${name}", of objects`, answer);
  return { rows, total: answer.body.count };
}

/** How often a list that changes while it is read is read again. */
const READINGS = 5;

/** A page of a list. `total` is what the service counts, where it does (v5: UNCONFIRMED). */
export interface Page {
  rows: JsonObject[];
  total?: unknown;
}

/**
 * All rows of an EVS list, whose offset counts rows (ECS and DWS count pages, cloud-apis.md 7). Each page begins with the
 * last row of the one before it: where it does not, something was deleted or created meanwhile and rows have moved, so
 * that one could have been missed, and the list is read again. What an earlier reading found stays found.
 * Ends when the service's count is reached, or with a page that brings nothing new: a short page is no end, as a service
 * may give fewer rows than it was asked for. The links in an answer are never followed (they name internal addresses,
 * cloud-apis.md 1.2).
 */
export async function allRows(page: (offset: number) => Promise<Page>): Promise<JsonObject[]> {
  const found = new Map<unknown, JsonObject>();
  for (let reading = 1; reading <= READINGS; reading += 1) {
    if (await readOnce(page, found)) break;
  }
  return [...found.values()];
}

/** False where the list changed while it was read. */
async function readOnce(page: (offset: number) => Promise<Page>, found: Map<unknown, JsonObject>): Promise<boolean> {
  const seen = new Set<unknown>();
  let last: unknown;
  for (let offset = 0; ; offset = seen.size - 1) {
    const before = seen.size;
    const { rows, total } = await page(offset);
    for (const row of rows) {
      found.set(row.id, row);
      seen.add(row.id);
    }
    if (before > 0 && rows[0]?.id !== last) return false;
    if (seen.size === before || (typeof total === "number" && seen.size >= total)) return true;
    last = rows.at(-1)?.id;
  }
}

/**
 * All rows of the ECS list, whose offset counts pages from 1 (cloud-apis.md 7): pages cannot overlap, so a total that
 * changes from one page to the next has the list read again.
 */
export async function allPages(page: (number: number) => Promise<Page>): Promise<JsonObject[]> {
  const found = new Map<unknown, JsonObject>();
  for (let reading = 1; reading <= READINGS; reading += 1) {
    const totals = new Set<unknown>();
    const seen = new Set<unknown>();
    for (let number = 1; ; number += 1) {
      const before = seen.size;
      const { rows, total } = await page(number);
      for (const row of rows) {
        found.set(row.id, row);
        seen.add(row.id);
      }
      totals.add(total);
      if (seen.size === before || (typeof total === "number" && seen.size >= total)) break;
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

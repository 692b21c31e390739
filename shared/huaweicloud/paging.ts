import { isObject, type JsonObject } from "../snapshots/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import { type Answer, unusable } from "./client.ts";

/** The most that EVS gives at once (cloud-apis.md 1.2, 2.1). */
export const EVS_PAGE = 1_000;
/** A list that gives ever new ids is not followed for ever. */
const MOST_PAGES = 1_000;

/** The rows of a list's answer. A list without its array is no empty list: it says nothing about what exists. */
export function rowsOf(answer: Answer, name: string): JsonObject[] {
  const rows = answer.body[name];
  if (!Array.isArray(rows)) throw unusable(`the list "${name}"`, answer);
  return rows.filter(isObject);
}

/**
 * All rows of an EVS list, whose offset counts rows (ECS and DWS count pages, cloud-apis.md 7). Rows that come twice,
 * because something was created meanwhile and moved them, count once. Ends with a page that is short, empty or brings
 * nothing new; the links in an answer are never followed (they name internal addresses, cloud-apis.md 1.2).
 */
export async function allRows(page: (offset: number) => Promise<JsonObject[]>): Promise<JsonObject[]> {
  const found = new Map<unknown, JsonObject>();
  let offset = 0;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const rows = await page(offset);
    const before = found.size;
    for (const row of rows) found.set(row.id, row);
    offset += rows.length;
    if (rows.length < EVS_PAGE || found.size === before) break;
  }
  return [...found.values()];
}

/** Rows as snapshots of a kind; a row without id or status could be the one that is looked for, so it is an error. */
export const readAll = (kind: Kind, rows: JsonObject[]): FoundSnapshot[] =>
  rows.map((row) => {
    const found = kind.read(row);
    if (found !== undefined) return found;
    const text = JSON.stringify(row);
    throw unusable(`an id and a status in each entry of the list of ${kind.kind}s`, { status: 200, text });
  });

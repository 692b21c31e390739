import { isObject, type JsonObject, textAt, textMap } from "../snapshots/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import type { Resource } from "../snapshots/ports.ts";
import { REASONS, SnapshotError } from "../snapshots/reasons.ts";
import { type Answer, unusable } from "./client.ts";

/** The most that EVS gives at once (cloud-apis.md 1.2, 2.1). */
export const EVS_PAGE = 1_000;

/** A page of a list's answer. A list without its array is no empty list: it says nothing about what exists. */
export function pageOf(answer: Answer, name: string): Page {
  const rows = answer.body[name];
  if (!Array.isArray(rows) || !rows.every(isObject)) throw unusable(`the list "${name}", of objects`, answer);
  return { rows, total: answer.body.count };
}

/** A page of a list. `total` is what the service counts over all pages, where it is documented to. */
export interface Page {
  rows: JsonObject[];
  total?: unknown;
}

/** How often it is gone back in a list whose rows move, and how far at first. */
const STEPS_BACK = 8;
const STEP = 10;

/**
 * All rows of an EVS list, whose offset counts rows (ECS and DWS count pages, cloud-apis.md 7). Each page begins with a row
 * that was read before: where it does not, something was deleted meanwhile and rows have moved up, so that one could have
 * been missed, and it is read from further back, until it does. How many rows were read does not tell the end, as some may
 * be gone by now, nor does a short page, as a service may give fewer rows than it was asked for. The end is where the
 * service's count says so; else a page that brings nothing new, and is shorter than others, or the one before it again
 * although it is further on.
 * The links in an answer are never followed (they name internal addresses, cloud-apis.md 1.2).
 *
 * Rejects with BadResponse where a list keeps moving, or says itself that it has more: it is not the whole then.
 */
export async function allRows(page: (offset: number) => Promise<Page>): Promise<JsonObject[]> {
  const found = new Map<unknown, JsonObject>();
  let pages = 0;
  let stepsBack = 0;
  let moves = 0;
  let largest = 0;
  let first: unknown;
  for (let offset = 0; ; ) {
    const { rows, total } = await page(offset);
    pages += 1;
    if (offset > 0 && !found.has(rows[0]?.id)) {
      stepsBack += 1;
      moves += 1;
      if (stepsBack > STEPS_BACK || moves > STEPS_BACK + found.size / 100) throw moving(found.size);
      offset = Math.max(0, offset - STEP * 3 ** stepsBack);
      first = undefined;
      continue;
    }
    stepsBack = 0;
    const before = found.size;
    for (const row of rows) found.set(row.id, row);
    const again = found.size === before && rows[0]?.id === first;
    const counted = typeof total === "number";
    const last = counted ? offset + rows.length >= total : found.size === before && rows.length < largest;
    if (again || last || rows.length <= 1) return checked(found, total, pages);
    largest = Math.max(largest, rows.length);
    first = rows[0]?.id;
    offset += rows.length - 1;
  }
}

/**
 * All rows of the ECS list, whose offset counts pages from 1 (cloud-apis.md 7): pages cannot overlap, so a total that
 * changes from one page to the next has the list read again.
 */
export async function allPages(page: (number: number) => Promise<Page>): Promise<JsonObject[]> {
  const found = new Map<unknown, JsonObject>();
  for (let reading = 1; reading <= STEPS_BACK; reading += 1) {
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
    if (totals.size === 1) return checked(found, [...totals][0]);
  }
  throw incomplete(found.size, "its total kept changing");
}

/**
 * A list that was read to its end; not where it says that there is more. Between two pages a few rows may come that are
 * counted and not read, and a few that were counted may go: what was there all the time was read.
 */
export function checked(found: Map<unknown, JsonObject>, total: unknown, pages = 1): JsonObject[] {
  const few = pages === 1 ? 0 : 10 + found.size / 50;
  if (typeof total === "number" && total > found.size + few) throw incomplete(found.size, `it counts ${total}`);
  return [...found.values()];
}

const moving = (rows: number) => incomplete(rows, "its rows kept moving");

const incomplete = (rows: number, why: string) =>
  new SnapshotError(
    "BadResponse",
    `Expected a whole list, got ${rows} rows of it: ${why}. ${REASONS.BadResponse.advice}`,
  );

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

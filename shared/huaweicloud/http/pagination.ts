import { REASONS, SnapshotError } from "../../core/errors.ts";
import { isObject, type JsonObject, textAt, textMap } from "../../core/json.ts";
import type { FoundSnapshot, Kind } from "../../snapshots/kinds/kind.ts";
import type { Resource } from "../../snapshots/ports.ts";
import { decodeUtf8 } from "./response-body.ts";
import { parseResponse } from "./response-json.ts";
import { MAX_ROWS } from "./row-splitter.ts";
import { type ApiResponse, isId, PageTooLarge, unusable, unusableRow } from "./sdk-client.ts";

/** The most rows that EVS and ECS give at once. */
const MAX_PAGE_ROWS = 1_000;

/** A page of a list's answer. A list without its array is no empty list: it says nothing about what exists. */
export function pageOf(answer: ApiResponse, name: string): Page {
  const rows = answer.body[name];
  if (!Array.isArray(rows) || !rows.every(isObject)) throw unusable(`the list "${name}", of objects`, answer);
  return { rows, total: answer.body.count };
}

/** A page of a list. `total` is what the service counts over all pages, where it is documented to. */
export interface Page {
  rows: JsonObject[];
  total?: unknown;
}

/** If a page of so few rows is still too large, reading fails, because no page of these services is. */
const MIN_PAGE = 8;

/** One request for a page. `limit`: how many rows it may have. */
type PageOf = (offset: number, limit: number) => Promise<Page>;

/** Reads a page. Requests a page that is too large for the memory again with half as many rows. */
async function readPage(page: PageOf, offset: number, limit: number): Promise<Page & { limit: number }> {
  try {
    return { ...(await page(offset, limit)), limit };
  } catch (thrown) {
    if (!(thrown instanceof PageTooLarge) || limit <= MIN_PAGE) throw thrown;
    return readPage(page, offset, Math.floor(limit / 2));
  }
}

/** How often it is gone back in a list whose rows move, and how far at first. */
const STEPS_BACK = 8;
const STEP = 10;

/** What a list's rows are given to, one after the other, each once. */
type Visit = (row: JsonObject) => void;

/**
 * All rows of an EVS list, whose offset counts rows (ECS and DWS count pages, cloud-apis.md 7). Each page begins with a row
 * that was read before: where it does not, something was deleted meanwhile and rows have moved up, so that one could have
 * been missed, and it is read from further back, until it does. How many rows were read does not tell the end, as some may
 * be gone by now, nor does a short page, as a service may give fewer rows than it was asked for. The end is where the
 * service's count says so; else a page that brings nothing new, and is shorter than others, or the one before it again
 * although it is further on.
 * The links in an answer are never followed (they name internal addresses, cloud-apis.md 1.2). Of the rows themselves
 * nothing is held.
 *
 * Rejects with BadResponse where a list keeps moving, or says itself that it has more: it is not the whole then.
 */
export async function allRows(page: PageOf, visit: Visit): Promise<void> {
  const seen = new Set<unknown>();
  let pages = 0;
  let stepsBack = 0;
  let moves = 0;
  let largest = 0;
  let limit = MAX_PAGE_ROWS;
  let first: unknown;
  for (let offset = 0; ; ) {
    const { rows, total, limit: fitting } = await readPage(page, offset, limit);
    // The number of rows cannot be compared with that of earlier pages, which had another limit.
    if (fitting < limit) largest = 0;
    limit = fitting;
    pages += 1;
    if (offset > 0 && !seen.has(rows[0]?.id)) {
      stepsBack += 1;
      moves += 1;
      if (stepsBack > STEPS_BACK || moves > STEPS_BACK + seen.size / 100) {
        throw incomplete(seen.size, "its rows kept moving");
      }
      offset = Math.max(0, offset - STEP * 3 ** stepsBack);
      first = undefined;
      continue;
    }
    stepsBack = 0;
    const before = seen.size;
    visitNew(rows, seen, visit);
    const again = seen.size === before && rows[0]?.id === first;
    const counted = typeof total === "number";
    const last = counted ? offset + rows.length >= total : seen.size === before && rows.length < largest;
    if (again || last || rows.length <= 1) return check(seen.size, total, pages);
    largest = Math.max(largest, rows.length);
    first = rows[0]?.id;
    offset += rows.length - 1;
  }
}

/**
 * All rows of the ECS list, whose offset counts pages from 1 (cloud-apis.md 7): pages cannot overlap, so a total that
 * changes from one page to the next has the list read again.
 */
export async function allPages(page: PageOf, visit: Visit): Promise<void> {
  const visited = new Set<unknown>();
  let limit = MAX_PAGE_ROWS;
  for (let reading = 1; reading <= STEPS_BACK; reading += 1) {
    const totals = new Set<unknown>();
    const seen = new Set<unknown>();
    for (let number = 1; ; number += 1) {
      const before = seen.size;
      const { rows, total, limit: fitting } = await readPage(page, number, limit);
      if (fitting < limit) {
        // With another limit the page numbers mean other rows, so start again with the first page.
        limit = fitting;
        number = 0;
        seen.clear();
        continue;
      }
      visitNew(rows, visited, visit);
      for (const { id } of rows) seen.add(id);
      totals.add(total);
      if (seen.size === before || (typeof total === "number" && seen.size >= total)) break;
    }
    if (totals.size === 1) return check(visited.size, [...totals][0]);
  }
  throw incomplete(visited.size, "its total kept changing");
}

/** All rows of a list that is given whole, and was asked for with its rows taken out: each is parsed when it is visited. */
export function wholeList(answer: ApiResponse, name: string, visit: Visit): void {
  const seen = new Set<unknown>();
  const { rows, total } = pageOf(answer, name);
  // What is left in the array is no object.
  const split = answer.rows?.length ? answer.rows : undefined;
  const unreadable = () => unusable(`the list "${name}", of objects`, answer);
  if (split !== undefined && rows.length > 0) throw unreadable();
  visitNew(split === undefined ? rows : parsed(split, unreadable), seen, visit);
  check(seen.size, total);
}

function* parsed(texts: string[], unreadable: () => Error): Generator<JsonObject> {
  for (const [place, text] of texts.entries()) {
    // Nobody needs the text any more, and there may be 16 MiB of it.
    texts[place] = "";
    const row = parseResponse(decodeUtf8(text));
    if (!isObject(row)) throw unreadable();
    yield row;
  }
}

function visitNew(rows: Iterable<JsonObject>, seen: Set<unknown>, visit: Visit): void {
  for (const row of rows) {
    if (seen.has(row.id)) continue;
    if (seen.size >= MAX_ROWS) throw incomplete(seen.size, `more than ${MAX_ROWS} rows are not read`);
    seen.add(row.id);
    visit(row);
  }
}

/**
 * For a list that was read to its end; not where it says that there is more. Between two pages a few rows may come that are
 * counted and not read, and a few that were counted may go: what was there all the time was read.
 */
function check(rows: number, total: unknown, pages = 1): void {
  const few = pages === 1 ? 0 : 10 + rows / 50;
  if (typeof total === "number" && total > rows + few) throw incomplete(rows, `it counts ${total}`);
}

const incomplete = (rows: number, why: string) =>
  new SnapshotError(
    "BadResponse",
    `Expected a whole list, got ${rows} rows of it: ${why}. ${REASONS.BadResponse.advice}`,
  );

/** A row as a resource: id and tags, in whichever of the three shapes the service gives them. */
export function resourceIn(row: JsonObject, what: string): Resource {
  const id = textAt(row, "id");
  if (id !== undefined && isId(id)) return { id, tags: textMap(row.tags) };
  throw unusableRow(`an id in each entry of the list of ${what}`, row);
}

/** A row as a snapshot of a kind; one without id or status could be the one that is looked for, so it is an error. */
export function snapshotIn(row: JsonObject, kind: Kind): FoundSnapshot {
  const found = kind.read(row);
  if (found !== undefined && isId(found.id)) return found;
  throw unusableRow(`an id and a status in each entry of the list of ${kind.name}s`, row);
}

/** So many snapshots are held, unless there is a smaller limit. */
const MAX_HELD = 50_000;
/** So many snapshots of one resource are held, with all their fields: it has 7 or 256 at most. */
export const MAX_SNAPSHOTS = 10_000;

/**
 * Everything that a list shows, where it is held whole.
 *
 * @throws SnapshotError BadResponse for more rows than there is memory for
 */
export async function collected<One>(
  list: (visit: (one: One) => void) => Promise<void>,
  most = MAX_HELD,
): Promise<One[]> {
  const all: One[] = [];
  await list((one) => {
    if (all.length >= most) throw incomplete(all.length, `more than ${most} of them are not held`);
    all.push(one);
  });
  return all;
}

import { REASONS, SnapshotError } from "../../core/errors.ts";
import { isObject, type JsonObject, textAt, textMap } from "../../core/json.ts";
import type { FoundSnapshot, Kind } from "../../snapshots/kinds/kind.ts";
import type { Resource } from "../../snapshots/ports.ts";
import { type ApiResponse, PageTooLarge, unexpectedResponse, unexpectedRow } from "./api-response.ts";
import { isId } from "./ids.ts";
import { decodeUtf8 } from "./response-body.ts";
import { parseResponse } from "./response-json.ts";
import { MAX_ROWS } from "./row-splitter.ts";

/** The most rows per page of EVS and ECS: SOURCES.md#evs-list-offset. */
const MAX_PAGE_ROWS = 1_000;

/** A page of a list. */
export interface Page {
  rows: JsonObject[];
  /** The number of rows on all pages, if the service documents it. */
  total?: unknown;
}

/**
 * Returns the page in the response to a list call.
 *
 * @param name the name of the array with the rows
 * @throws SnapshotError BadResponse without the array, because such a response is not an empty list
 */
export function pageOf(response: ApiResponse, name: string): Page {
  const rows = response.body[name];
  if (!Array.isArray(rows) || !rows.every(isObject)) throw notAList(response, name);
  return { rows, total: response.body.count };
}

const notAList = (response: ApiResponse, name: string) =>
  unexpectedResponse(`the list "${name}", of objects`, response);

/** If a page of this many rows does not fit into the memory, reading fails, because rows of these services are shorter. */
const MIN_PAGE_ROWS = 8;

/** Requests one page of at most `limit` rows. */
type PageOf = (offset: number, limit: number) => Promise<Page>;

/** Reads a page. If the page does not fit into the memory, requests it again with half as many rows. */
async function readPage(page: PageOf, offset: number, limit: number): Promise<Page & { limit: number }> {
  try {
    return { ...(await page(offset, limit)), limit };
  } catch (thrown) {
    if (!(thrown instanceof PageTooLarge) || limit <= MIN_PAGE_ROWS) throw thrown;
    return readPage(page, offset, Math.floor(limit / 2));
  }
}

/** How many times in a row reading steps back in a list whose rows move, and the first step in rows. */
const MAX_STEPS_BACK = 8;
const FIRST_STEP = 10;

/** Receives each row of a list once. */
type Visit = (row: JsonObject) => void;

/**
 * Visits every row of an EVS list, whose offset counts rows (SOURCES.md#paging-conventions). Rows are not kept in memory.
 *
 * Rows can be deleted between two pages, and then the rows behind them move up. Each page therefore begins with the last row
 * of the previous page. If it does not, rows have moved and one may be missed, so reading steps back until a known row appears.
 *
 * The list ends when the service's count is reached. Without a count, it ends at a page without new rows that is shorter than
 * earlier pages or repeats the previous page. The number of rows read so far is no sign of the end, because rows may have been
 * deleted. A short page is none either, because a service may send fewer rows than requested. Links in a response are never
 * followed, because they contain internal addresses (SOURCES.md#evs-list-internal-links).
 *
 * @param page requests one page
 * @throws SnapshotError BadResponse if the rows keep moving, or if the count is higher than the number of rows read
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
    const { rows, total, limit: usedLimit } = await readPage(page, offset, limit);
    // The number of rows is not comparable with earlier pages, which had another limit.
    if (usedLimit < limit) largest = 0;
    limit = usedLimit;
    pages += 1;
    if (offset > 0 && !seen.has(rows[0]?.id)) {
      stepsBack += 1;
      moves += 1;
      if (stepsBack > MAX_STEPS_BACK || moves > MAX_STEPS_BACK + seen.size / 100) {
        throw incomplete(seen.size, "its rows kept moving");
      }
      offset = Math.max(0, offset - FIRST_STEP * 3 ** stepsBack);
      first = undefined;
      continue;
    }
    stepsBack = 0;
    const before = seen.size;
    visitNew(rows, seen, visit);
    const repeats = seen.size === before && rows[0]?.id === first;
    const isLast =
      typeof total === "number" ? offset + rows.length >= total : seen.size === before && rows.length < largest;
    if (repeats || isLast || rows.length <= 1) return checkTotal(seen.size, total, pages);
    largest = Math.max(largest, rows.length);
    first = rows[0]?.id;
    offset += rows.length - 1;
  }
}

/**
 * Visits every row of the ECS list, whose offset counts pages from 1 (SOURCES.md#ecs-list-pages). Such pages cannot overlap,
 * so the list is read again if its total changes between two pages.
 *
 * @throws SnapshotError BadResponse if the total keeps changing or is higher than the number of rows read
 */
export async function allPages(page: PageOf, visit: Visit): Promise<void> {
  const visited = new Set<unknown>();
  let limit = MAX_PAGE_ROWS;
  for (let reading = 1; reading <= MAX_STEPS_BACK; reading += 1) {
    const totals = new Set<unknown>();
    const seen = new Set<unknown>();
    for (let number = 1; ; number += 1) {
      const before = seen.size;
      const { rows, total, limit: usedLimit } = await readPage(page, number, limit);
      if (usedLimit < limit) {
        // With another limit the page numbers mean other rows, so reading starts again with the first page.
        limit = usedLimit;
        number = 0;
        seen.clear();
        continue;
      }
      visitNew(rows, visited, visit);
      for (const { id } of rows) seen.add(id);
      totals.add(total);
      if (seen.size === before || (typeof total === "number" && seen.size >= total)) break;
    }
    if (totals.size === 1) return checkTotal(visited.size, [...totals][0]);
  }
  throw incomplete(visited.size, "its total kept changing");
}

/**
 * Visits every row of a list without pages. The list was requested with `rowsOf`, so each row is parsed when it is visited.
 *
 * @throws SnapshotError BadResponse if an entry is not an object, or if the count is higher than the number of rows
 */
export function wholeList(response: ApiResponse, name: string, visit: Visit): void {
  const seen = new Set<unknown>();
  const { rows, total } = pageOf(response, name);
  const split = response.rows?.length ? response.rows : undefined;
  const unreadable = () => notAList(response, name);
  // An entry that is not a row was not split off, so it is not an object.
  if (split !== undefined && rows.length > 0) throw unreadable();
  visitNew(split === undefined ? rows : parsed(split, unreadable), seen, visit);
  checkTotal(seen.size, total);
}

function* parsed(texts: string[], unreadable: () => Error): Generator<JsonObject> {
  for (const [place, text] of texts.entries()) {
    // Releases the text, because all of them can take 16 MiB.
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
 * Throws if the service counts more rows than were read. Between two pages a few counted rows can be deleted and a few new rows
 * can be counted but not read, so a list of several pages has a tolerance.
 */
function checkTotal(rows: number, total: unknown, pages = 1): void {
  const tolerance = pages === 1 ? 0 : 10 + rows / 50;
  if (typeof total === "number" && total > rows + tolerance) throw incomplete(rows, `it counts ${total}`);
}

const incomplete = (rows: number, why: string) =>
  new SnapshotError(
    "BadResponse",
    `Expected a complete list, got ${rows} rows of it: ${why}. ${REASONS.BadResponse.advice}`,
  );

/**
 * Reads a row as a resource. Accepts every shape of tags: SOURCES.md#tag-shapes.
 *
 * @param what the resources of the list, such as "disks", for the error
 * @throws SnapshotError BadResponse without a valid id
 */
export function resourceIn(row: JsonObject, what: string): Resource {
  const id = textAt(row, "id");
  if (id !== undefined && isId(id)) return { id, tags: textMap(row.tags) };
  throw unexpectedRow(`an id in each entry of the list of ${what}`, row);
}

/**
 * Reads a row as a snapshot of a kind.
 *
 * @throws SnapshotError BadResponse without a valid id or status, because it may be the snapshot that the caller looks for
 */
export function snapshotIn(row: JsonObject, kind: Kind): FoundSnapshot {
  const found = kind.read(row);
  if (found !== undefined && isId(found.id)) return found;
  throw unexpectedRow(`an id and a status in each entry of the list of ${kind.name}s`, row);
}

/** The most items of a list that are kept in memory, unless the caller sets a lower limit. */
const MAX_COLLECTED = 50_000;
/** The most snapshots of one resource that are kept in memory. EVS allows 7 or 256: SOURCES.md#evs-standard-per-disk-limit. */
export const MAX_SNAPSHOTS = 10_000;

/**
 * Returns all items of a list in an array.
 *
 * @param list visits every item
 * @param max the most items that fit into the memory; default 50,000
 * @throws SnapshotError BadResponse for more items
 */
export async function collected<Item>(
  list: (visit: (item: Item) => void) => Promise<void>,
  max = MAX_COLLECTED,
): Promise<Item[]> {
  const items: Item[] = [];
  await list((item) => {
    if (items.length >= max) throw incomplete(items.length, `more than ${max} rows do not fit into the memory`);
    items.push(item);
  });
  return items;
}

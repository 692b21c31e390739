import { REASONS, SnapshotError } from "../../core/errors.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { type ApiResponse, PageTooLarge, unexpectedResponse } from "./api-response.ts";
import { decodeUtf8 } from "./response-body.ts";
import { parseResponse } from "./response-json.ts";
import { MAX_ROWS } from "./row-splitter.ts";

/** The maximum number of rows in one page of an EVS or ECS list response (SOURCES.md#evs-list-offset). */
const MAX_PAGE_ROWS = 1_000;

export interface Page {
  rows: JsonObject[];
  /** The number of rows on all pages (the response field `count`). Undefined if the service does not return it. */
  total?: unknown;
}

/**
 * Reads one page from a list response.
 *
 * @param name the name of the array that contains the rows
 * @throws SnapshotError BadResponse if the array is missing, because a response without the array is not an empty list
 */
export function parsePage(response: ApiResponse, name: string): Page {
  const rows = response.body[name];
  if (!Array.isArray(rows) || !rows.every(isObject)) throw malformedListError(response, name);
  return { rows, total: response.body.count };
}

const malformedListError = (response: ApiResponse, name: string) =>
  unexpectedResponse(`the array "${name}" of objects`, response);

/**
 * If a page of at most 8 rows does not fit into memory, `readPage` throws PageTooLarge instead of requesting a smaller page.
 * Valid rows are small enough that 8 rows always fit.
 */
const MIN_PAGE_ROWS = 8;

/** Requests one page of at most `limit` rows. The offset counts rows (EVS) or pages (ECS). */
export type RequestPage = (offset: number, limit: number) => Promise<Page>;

/** Requests a page. If the page does not fit into memory, requests it again with half as many rows. */
async function readPage(page: RequestPage, offset: number, limit: number): Promise<Page & { limit: number }> {
  try {
    return { ...(await page(offset, limit)), limit };
  } catch (thrown) {
    if (!(thrown instanceof PageTooLarge) || limit <= MIN_PAGE_ROWS) throw thrown;
    return readPage(page, offset, Math.floor(limit / 2));
  }
}

/**
 * The maximum number of consecutive steps back. A step back repeats a page request with a smaller offset. Steps back are
 * necessary if rows move while the list is read. The ECS server list is also read at most this many times.
 */
const MAX_STEPS_BACK = 8;
/** The size of the nth consecutive step back is this number times 3ⁿ, in rows: 30, 90, 270 and so on. */
const STEP_BACK_ROWS = 10;

/** Receives each row of a list response once. */
type Visit = (row: JsonObject) => void;

/**
 * Visits every row of an EVS list. The offset of an EVS list request counts rows (SOURCES.md#paging-conventions). Rows are not
 * kept in memory.
 *
 * If EVS deletes a row between two page requests, all rows after it move up. Each page request therefore starts at the last row
 * of the previous page. If the first row of the response is new, the function may have missed a row. The function then steps
 * back: it repeats the page request with a smaller offset, until the first row of the response is a row that it already visited.
 *
 * Reading stops only at a page without new rows that is shorter than an earlier page. A short page with new rows does not stop
 * reading, because EVS may return fewer rows than requested. A count does not stop reading, because it may be the count of the
 * page. If all pages contain the same count and the count is higher than the number of rows, the function reads the list once
 * more. The function never follows links in a response, because they contain internal addresses
 * (SOURCES.md#evs-list-internal-links).
 *
 * @param page requests one page
 * @throws SnapshotError BadResponse if the rows keep moving, if EVS ignores the offset, or if the count is higher than the number
 *   of rows read
 */
export async function visitAllRows(page: RequestPage, visit: Visit): Promise<void> {
  const visited = new Set<unknown>();
  for (let reading = 1; ; reading += 1) {
    const totals = await visitOnce(page, visited, visit, reading > 1);
    const missing = missingRows(visited.size, totals);
    if (missing === undefined) return;
    if (reading === MAX_READINGS) throw missing;
  }
}

/** How often a list is read if the service counts more rows than the pages contain. */
const MAX_READINGS = 2;

/**
 * Reads the pages of an EVS list once, and visits the rows that are not in `visited` yet.
 *
 * @param isAgain true if an earlier reading has visited rows
 * @returns the counts that the pages contained
 */
async function visitOnce(
  page: RequestPage,
  visited: Set<unknown>,
  visit: Visit,
  isAgain: boolean,
): Promise<Set<unknown>> {
  const seen = isAgain ? new Set<unknown>() : visited;
  const totals = new Set<unknown>();
  let stepsBack = 0;
  let moveCount = 0;
  let limit = MAX_PAGE_ROWS;
  let overlaps = false;
  let largestPage = 0;
  let repeats = 0;
  let pagesWithoutNewRows = 0;
  let previousFirstId: unknown;
  for (let offset = 0; ; ) {
    const { rows, total, limit: usedLimit } = await readPage(page, offset, limit);
    // The earlier pages were requested with a higher limit, so their row counts cannot be compared with later pages.
    if (usedLimit < limit) largestPage = 0;
    limit = usedLimit;
    totals.add(total);
    if (overlaps && !seen.has(identityOf(rows[0]))) {
      stepsBack += 1;
      moveCount += 1;
      if (stepsBack > MAX_STEPS_BACK || moveCount > MAX_STEPS_BACK + seen.size / 100) {
        throw incompleteListError(seen.size, "its rows kept moving");
      }
      offset = Math.max(0, offset - STEP_BACK_ROWS * 3 ** stepsBack);
      overlaps = offset > 0;
      previousFirstId = undefined;
      continue;
    }
    stepsBack = 0;
    const seenBefore = seen.size;
    visitNew(rows, visited, visit);
    if (isAgain) for (const row of rows) seen.add(identityOf(row));
    const hasNoNewRows = seen.size === seenBefore;
    if (hasNoNewRows && (rows.length <= 1 || rows.length < largestPage)) return totals;
    largestPage = Math.max(largestPage, rows.length);
    // New rows at the start of the list move the known rows to a later offset, so one repeated page proves nothing.
    repeats = hasNoNewRows && identityOf(rows[0]) === previousFirstId ? repeats + 1 : 0;
    pagesWithoutNewRows = hasNoNewRows ? pagesWithoutNewRows + 1 : 0;
    if (repeats > 1 || pagesWithoutNewRows > MAX_STEPS_BACK) {
      if (total === seen.size && rows.length !== limit) return totals;
      throw incompleteListError(seen.size, "the service returns the same page for each offset");
    }
    previousFirstId = identityOf(rows[0]);
    // A page of one row cannot overlap the next page.
    overlaps = rows.length > 1;
    offset += overlaps ? rows.length - 1 : 1;
  }
}

/**
 * Visits the newest rows of an EVS list: page after page, until a page contains a row for which `visit` returns true. The caller
 * must know that the service lists new rows first.
 *
 * @param visit returns true for a row that an earlier list response contained
 * @returns whether `visit` returned true for a row. If not, rows may be missing.
 */
export async function visitNewestRows(page: RequestPage, visit: (row: JsonObject) => boolean): Promise<boolean> {
  const seen = new Set<unknown>();
  for (let offset = 0; ; ) {
    const { rows } = await readPage(page, offset, NEWEST_PAGE_ROWS);
    const seenBefore = seen.size;
    let isKnown = false;
    visitNew(rows, seen, (row) => {
      if (visit(row)) isKnown = true;
    });
    if (isKnown || seen.size === seenBefore) return isKnown;
    // The pages overlap by one row. If a row was deleted between two page requests, the overlap is missing.
    offset += Math.max(1, rows.length - 1);
  }
}

/** The number of rows in a page of new rows. A busy account creates fewer snapshots in a second. */
const NEWEST_PAGE_ROWS = 200;

/**
 * Visits every row of the ECS server list, whose offset counts pages from 1 (SOURCES.md#ecs-list-pages). ECS pages cannot
 * overlap, so the function reads the list again if the total changes between two page requests.
 *
 * @throws SnapshotError BadResponse if the total keeps changing, or if it is higher than the number of rows that were read
 */
export async function visitNumberedPages(page: RequestPage, visit: Visit): Promise<void> {
  const visited = new Set<unknown>();
  let limit = MAX_PAGE_ROWS;
  for (let reading = 1; reading <= MAX_STEPS_BACK; reading += 1) {
    const totals = new Set<unknown>();
    const seen = new Set<unknown>();
    for (let number = 1; ; number += 1) {
      const seenBefore = seen.size;
      const { rows, total, limit: usedLimit } = await readPage(page, number, limit);
      if (usedLimit < limit) {
        // With a lower limit, a page number refers to other rows than before, so the list is read from its first page again.
        limit = usedLimit;
        number = 0;
        seen.clear();
        continue;
      }
      visitNew(rows, visited, visit);
      for (const row of rows) seen.add(identityOf(row));
      totals.add(total);
      if (seen.size === seenBefore) break;
    }
    if (totals.size > 1) continue;
    const missing = missingRows(visited.size, totals);
    if (missing === undefined) return;
    if (reading >= MAX_READINGS) throw missing;
  }
  throw incompleteListError(visited.size, "its total kept changing");
}

/**
 * Visits every row of a list response without pages. If the response has `rows`, each row is parsed only when it is visited.
 *
 * @throws SnapshotError BadResponse if an entry of the list is not an object, or if the response field `count` is higher than the
 *   number of rows
 */
export function visitUnpagedRows(response: ApiResponse, name: string, visit: Visit): void {
  const seen = new Set<unknown>();
  const { rows, total } = parsePage(response, name);
  const splitRows = response.rows?.length ? response.rows : undefined;
  const createError = () => malformedListError(response, name);
  // The row splitter removed all objects from the array. If an entry remains, it is not an object, so the list is malformed.
  if (splitRows !== undefined && rows.length > 0) throw createError();
  visitNew(splitRows === undefined ? rows : parseRows(splitRows, createError), seen, visit);
  const missing = missingRows(seen.size, new Set([total]));
  if (missing !== undefined) throw missing;
}

function* parseRows(rows: string[], createError: () => Error): Generator<JsonObject> {
  for (const [index, json] of rows.entries()) {
    // Releases the memory of the row, because all rows together can take 16 MiB.
    rows[index] = "";
    const row = parseResponse(decodeUtf8(json));
    if (!isObject(row)) throw createError();
    yield row;
  }
}

/** Returns the id of a row, or its content if it has no id. An empty string is no id, because it can be in several rows. */
const identityOf = (row: JsonObject | undefined): unknown =>
  (typeof row?.id === "string" && row.id) || JSON.stringify(row);

function visitNew(rows: Iterable<JsonObject>, seen: Set<unknown>, visit: Visit): void {
  for (const row of rows) {
    const identity = identityOf(row);
    if (seen.has(identity)) continue;
    if (seen.size >= MAX_ROWS) throw incompleteListError(seen.size, `the maximum is ${MAX_ROWS}`);
    seen.add(identity);
    visit(row);
  }
}

/**
 * Returns the error for a list whose rows are fewer than the service counts. If the count changed between two pages, a small
 * difference is allowed, because rows were created or deleted while the list was read.
 *
 * @param totals the counts that the pages contained
 * @returns undefined if no row is missing
 */
function missingRows(rows: number, totals: ReadonlySet<unknown>): SnapshotError | undefined {
  const tolerance = totals.size <= 1 ? 0 : 10 + rows / 50;
  // A count can be a string. An absent count becomes NaN.
  const counted = [...totals].map(Number).filter((total) => !Number.isNaN(total));
  const total = counted.length === 0 ? 0 : Math.min(...counted);
  return total > rows + tolerance ? incompleteListError(rows, `the service counts ${total}`) : undefined;
}

/** Returns the error for a list of which only some rows were read. */
export const incompleteListError = (rows: number, why: string) =>
  new SnapshotError(
    "BadResponse",
    `Expected a complete list, read only ${rows} rows: ${why}. ${REASONS.BadResponse.advice}`,
  );

/** The maximum number of list items that fit into memory, unless the caller sets another maximum. */
const MAX_COLLECTED = 50_000;
/** The maximum number of snapshots of one disk in memory (SOURCES.md#evs-legacy-per-disk-limit, #evs-standard-per-disk-limit). */
export const MAX_SNAPSHOTS = 10_000;

/**
 * Returns all items of a list in an array.
 *
 * @param list visits every item of the list
 * @param max the maximum number of items that fit into memory; default 50,000
 * @throws SnapshotError BadResponse if the list has more than `max` items
 */
export async function collectItems<Item>(
  list: (visit: (item: Item) => void) => Promise<void>,
  max = MAX_COLLECTED,
): Promise<Item[]> {
  const items: Item[] = [];
  await list((item) => {
    if (items.length >= max) throw incompleteListError(items.length, `more than ${max} rows do not fit into memory`);
    items.push(item);
  });
  return items;
}

import { type BodyReader, BodyTooLarge, MAX_SMALL_BYTES } from "./response-body.ts";

/** More rows are refused: their ids alone would fill a function of 128 MB. */
export const MAX_ROWS = 250_000;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_ARRAY, OPEN_OBJECT, CLOSE_ARRAY, CLOSE_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d];

/**
 * Returns a reader that takes the rows of a list out of a body: the objects in the array `name` of the outermost object.
 * Each row can be parsed by itself, and released, so that a list of 16 MiB fits into a function of 128 MB; parsed at once,
 * it would need three times as much.
 *
 * `add` throws BodyTooLarge for too many rows, a row that is too long, and too much around the rows.
 */
export function rowSplitter(name: string): BodyReader {
  const beforeArray = new RegExp(`"${name}"\\s*:\\s*$`);
  const rows: string[] = [];
  let rest = "";
  let row: string | undefined;
  let depth = 0;
  let inList = false;
  let inString = false;
  let escaped = false;
  /** Behind a row: what separates it from the next one is left out. */
  let behindRow = false;

  return {
    add(chunk) {
      let from = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const code = chunk.charCodeAt(at);
        if (inString) {
          if (escaped) escaped = false;
          else if (code === BACKSLASH) escaped = true;
          else if (code === QUOTE) inString = false;
          continue;
        }
        if (behindRow) {
          from = at;
          if (code <= 0x20 || code === COMMA) continue;
          behindRow = false;
        }
        if (code === QUOTE) inString = true;
        else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
          if (depth === 1) inList = code === OPEN_ARRAY && beforeArray.test(before(rest, chunk, from, at));
          if (depth === 2 && inList && code === OPEN_OBJECT) {
            rest += chunk.slice(from, at);
            row = "";
            from = at;
          }
          depth += 1;
        } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
          depth -= 1;
          if (depth !== 2 || row === undefined) continue;
          rows.push(row + chunk.slice(from, at + 1));
          if (rows.length > MAX_ROWS) throw new BodyTooLarge(`a list of more than ${MAX_ROWS} rows`);
          row = undefined;
          from = at + 1;
          behindRow = true;
        }
      }
      if (behindRow) return;
      if (row === undefined) rest += chunk.slice(from);
      else row += chunk.slice(from);
      if ((row ?? rest).length > MAX_SMALL_BYTES) throw new BodyTooLarge("a list with too much in or around a row");
    },
    end: () => ({ text: rest + (row ?? ""), rows }),
  };
}

/** The end of what was read before a place in a chunk and belongs to no row. */
function before(rest: string, chunk: string, from: number, at: number): string {
  const start = Math.max(from, at - 100);
  return rest.slice(start - at - 100) + chunk.slice(start, at);
}

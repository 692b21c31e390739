import { type BodyReader, BodyTooLarge, MAX_SMALL_BYTES } from "./response-body.ts";

/** The maximum number of rows in a list response, because the ids of more rows do not fit into a function of 128 MB. */
export const MAX_ROWS = 250_000;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_ARRAY, OPEN_OBJECT, CLOSE_ARRAY, CLOSE_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d];

/**
 * Creates a reader that cuts the rows of a list out of a response body. The caller then parses and releases one row at a time,
 * so a list response of 16 MiB fits into a function of 128 MB. Parsing the complete body would need three times as much memory.
 *
 * The function `add` of the reader throws BodyTooLarge if the list has too many rows, if a row is too long, or if the body
 * without the rows is too long.
 *
 * @param name the name of the array in the outermost object. The objects in this array are the rows.
 * @example createRowSplitter("snapshots") // {"snapshots":[{"id":1},{"id":2}]} becomes the text {"snapshots":[]} and two rows
 */
export function createRowSplitter(name: string): BodyReader {
  const beforeArray = new RegExp(`"${name}"\\s*:\\s*$`);
  const rows: string[] = [];
  let rest = "";
  let row: string | undefined;
  let depth = 0;
  let inList = false;
  let inString = false;
  let escaped = false;
  /** True after the end of a row. White space and commas after a row are dropped. */
  let afterRow = false;

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
        if (afterRow) {
          from = at;
          if (code <= 0x20 || code === COMMA) continue;
          afterRow = false;
        }
        if (code === QUOTE) inString = true;
        else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
          if (depth === 1) inList = code === OPEN_ARRAY && beforeArray.test(textBefore(rest, chunk, from, at));
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
          if (rows.length > MAX_ROWS) throw new BodyTooLarge(`the list has more than ${MAX_ROWS} rows`);
          row = undefined;
          from = at + 1;
          afterRow = true;
        }
      }
      if (afterRow) return;
      if (row === undefined) rest += chunk.slice(from);
      else row += chunk.slice(from);
      if ((row ?? rest).length > MAX_SMALL_BYTES)
        throw new BodyTooLarge("a row, or the text between two rows, is too long");
    },
    end: () => ({ text: rest + (row ?? ""), rows }),
  };
}

/** Returns at most 100 characters before the position `at`. Text that belongs to rows is omitted. */
function textBefore(rest: string, chunk: string, from: number, at: number): string {
  const start = Math.max(from, at - 100);
  return rest.slice(start - at - 100) + chunk.slice(start, at);
}

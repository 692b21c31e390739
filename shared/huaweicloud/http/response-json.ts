/** The maximum number of JSON values in a response body. A page of 1,000 rows has about 50,000 values. */
const MAX_VALUES = 200_000;
/**
 * The maximum length, in characters, of a response body that is parsed without counting its values. The values of such a short
 * body always fit into memory.
 */
const MAX_UNCOUNTED = 64 * 1024;

/**
 * Returns whether the parsed values of a response body would not fit into the memory of a small function. For example, 4 MiB of
 * short values take 70 MB.
 */
export const hasTooManyValues = (text: string): boolean =>
  text.length > MAX_UNCOUNTED && countValues(text) > MAX_VALUES;

/** Parses a response body as JSON. Returns undefined if the body is not JSON or has too many values. */
export function parseResponse(text: string): unknown {
  if (hasTooManyValues(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Counts the characters that start or separate JSON values. The count can be too high, because strings can contain these
 * characters, too.
 */
function countValues(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === COMMA || code === OBJECT || code === ARRAY) count += 1;
  }
  return count;
}

const [COMMA, OBJECT, ARRAY] = [0x2c, 0x7b, 0x5b];

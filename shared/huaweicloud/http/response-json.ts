/** A page of 1,000 rows has some 50,000 values. */
const MAX_VALUES = 200_000;
/** A text up to this length is parsed without counting, because its values always fit into memory. */
const SHORT = 64 * 1024;

/** Returns whether a body has more values than fit into a small function once they are parsed: 4 MiB of them take 70 MB. */
export const hasTooManyValues = (text: string): boolean => text.length > SHORT && countValues(text) > MAX_VALUES;

/** Parses a response's body. Returns undefined if it is not JSON or has too many values. */
export function parseResponse(text: string): unknown {
  if (hasTooManyValues(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Counts the characters that begin or separate values. It also counts them within strings, so the result can be too high. */
function countValues(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const sign = text.charCodeAt(index);
    if (sign === COMMA || sign === OBJECT || sign === ARRAY) count += 1;
  }
  return count;
}

const [COMMA, OBJECT, ARRAY] = [0x2c, 0x7b, 0x5b];

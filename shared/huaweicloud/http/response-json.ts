/** A page of 1,000 rows has some 50,000 values, and the unpaged list of DWS a few hundred thousand. */
const MAX_VALUES = 500_000;
/** A text up to this length is parsed without counting, because its values always fit into memory. */
const SHORT = 64 * 1024;

/**
 * Parses a response's body. Returns undefined where it is not JSON, or holds so many values that the parsed form would not
 * fit into a small function: 4 MiB of empty objects take 70 MB.
 */
export function parseResponse(text: string): unknown {
  if (text.length > SHORT && countValues(text) > MAX_VALUES) return undefined;
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

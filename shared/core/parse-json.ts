const BYTE_ORDER_MARK = "\ufeff";

/**
 * Parses JSON. Ignores a byte order mark at the start, because Windows editors and PowerShell write one into files and
 * bodies.
 *
 * @throws SyntaxError if the string is not JSON
 */
export const parseJson = (text: string): unknown =>
  JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text);

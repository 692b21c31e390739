const BYTE_ORDER_MARK = "\ufeff";

/**
 * Parses JSON and ignores a byte order mark at its start, which Windows editors and PowerShell write into files and bodies.
 *
 * @throws SyntaxError if the string is not JSON
 */
export const parseJson = (text: string): unknown =>
  JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text);

/** The minimum number of characters to which a column is shortened. */
const MIN_COLUMN = 8;

/**
 * Formats a table as lines. Each column is as wide as its widest cell. Numbers are right-aligned.
 *
 * @param maxWidth the maximum number of characters per line. If the table is wider, the widest columns are shortened, and their
 *   cells end with an ellipsis. Default: no maximum
 * @param first the index of the column that is shortened before the others, to at least `minWidth` characters. Default: none
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  maxWidth = Number.POSITIVE_INFINITY,
  first?: { column: number; minWidth: number },
): string[] {
  const widths = fitWidths(
    headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => (row[column] ?? "").length))),
    maxWidth,
    first,
  );
  const format = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return /^[\d.]+$/.test(cell) ? cell.padStart(width) : shorten(cell, width).padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [format(headings), ...rows.map(format)];
}

/** Shortens the column `first`, and then the widest columns, until a table fits into `maxWidth`. */
function fitWidths(
  natural: readonly number[],
  maxWidth: number,
  first?: { column: number; minWidth: number },
): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width + 2, -2);
  const wide = widths[first?.column ?? -1] ?? 0;
  if (first !== undefined && total() > maxWidth && wide > first.minWidth) {
    widths[first.column] = Math.max(first.minWidth, wide - (total() - maxWidth));
  }
  while (total() > maxWidth) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= MIN_COLUMN) break;
    widths[widest] = width - 1;
  }
  return widths;
}

/** Returns the beginning of a text with an ellipsis if the text has more than `width` characters. */
export const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/**
 * Breaks a text into lines between words.
 *
 * @param width the maximum number of characters per line. A longer word has a line of its own.
 * @param indent the text before each line except the first, such as four spaces
 */
export function wrapText(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line.trim() === "") line += word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}

import type { WriteStream } from "node:tty";

/** Prints lines. In a terminal, also shows a progress line below them, which is updated in place. */
export interface Screen {
  line(text?: string): void;
  /** Shows a progress line until the next call of `update` or `line`. An empty string removes it. Works only in a terminal. */
  update(text: string): void;
  /** Whether the output is a terminal, not a file or a pipe. */
  readonly terminal: boolean;
  /** The maximum number of characters per line: the width of the terminal, but at most 100. 100 for a file or a pipe. */
  readonly width: number;
  readonly style: Style;
}

/** The maximum number of characters per line. Longer lines are hard to read even in a wide terminal. */
const MAX_WIDTH = 100;

/** Adds terminal colors to text. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** Creates a screen. Uses colors only in a terminal, and no colors if NO_COLOR is set (no-color.org). */
export function createScreen(
  out: NodeJS.WriteStream | WriteStream = process.stdout,
  environment = process.env,
): Screen {
  const terminal = Boolean(out.isTTY);
  const useColors = terminal && !environment.NO_COLOR && environment.TERM !== "dumb";
  const paint = (code: number, end: number) => (text: string) =>
    useColors ? `\x1b[${code}m${text}\x1b[${end}m` : text;
  let hasProgressLine = false;
  const clearProgressLine = () => {
    if (hasProgressLine) out.write("\r\x1b[2K");
    hasProgressLine = false;
  };
  return {
    terminal,
    get width() {
      return Math.min(MAX_WIDTH, (terminal && out.columns) || MAX_WIDTH);
    },
    style: { bold: paint(1, 22), dim: paint(2, 22), good: paint(32, 39), bad: paint(31, 39) },
    line(text = "") {
      clearProgressLine();
      out.write(`${text}\n`);
    },
    update(text) {
      if (!terminal) return;
      clearProgressLine();
      if (text === "") return;
      // Shorten the text to the width of the terminal, because a wrapped line cannot be cleared.
      out.write(text.slice(0, (out.columns || 80) - 1));
      hasProgressLine = true;
    },
  };
}

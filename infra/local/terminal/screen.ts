import type { WriteStream } from "node:tty";

/** Where the tour prints: whole lines, and on a terminal one line at the bottom that is updated in place. */
export interface Screen {
  line(text?: string): void;
  /** Shown on a terminal only, until the next update or line; "" takes it away. */
  update(text: string): void;
  readonly terminal: boolean;
  readonly style: Style;
}

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** Colours on a terminal only, and none with NO_COLOR set (no-color.org). */
export function makeScreen(out: NodeJS.WriteStream | WriteStream = process.stdout, environment = process.env): Screen {
  const terminal = Boolean(out.isTTY);
  const colours = terminal && !environment.NO_COLOR && environment.TERM !== "dumb";
  const paint = (code: number, end: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[${end}m` : text);
  let updated = false;
  const wipe = () => {
    if (updated) out.write("\r\x1b[2K");
    updated = false;
  };
  return {
    terminal,
    style: { bold: paint(1, 22), dim: paint(2, 22), good: paint(32, 39), bad: paint(31, 39) },
    line(text = "") {
      wipe();
      out.write(`${text}\n`);
    },
    update(text) {
      if (!terminal) return;
      wipe();
      if (text === "") return;
      // One that wraps could not be wiped again.
      out.write(text.slice(0, (out.columns || 80) - 1));
      updated = true;
    },
  };
}

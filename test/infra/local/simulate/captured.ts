import { PassThrough } from "node:stream";
import { runSimulate } from "../../../../infra/local/simulate/command.ts";
import { createScreen } from "../../../../infra/local/terminal/screen.ts";

interface Captured {
  code: number;
  /** The output. */
  text: string;
  lines: string[];
  /** The output in one line, because sentences can have several lines. */
  words: string;
  first: string | undefined;
}

/** Runs `npm run simulate` in this process, with its output in a pipe. */
export function capture(...argv: string[]): Captured {
  const out = new PassThrough();
  const code = runSimulate(argv, createScreen(out as unknown as NodeJS.WriteStream, {}));
  const text = String(out.read() ?? "");
  const lines = text.trimEnd().split("\n");
  return { code, text, lines, words: lines.join(" "), first: lines[0] };
}

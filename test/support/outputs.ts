import type { Outputs } from "../../infra/local/invoke/replay.ts";
import { createScreen } from "../../infra/local/terminal/screen.ts";

/** Output of a command that a test reads. */
export interface CapturedOutputs extends Outputs {
  /** Returns all text that the command printed on stdout. */
  stdout(): string;
  /** Returns all text that the command printed on stderr. */
  stderr(): string;
}

/**
 * Creates a stdout and a stderr that keep all text.
 *
 * @param columns the width of the terminal. Default: stdout and stderr are files
 */
export function captureOutputs(columns?: number, environment: Record<string, string> = {}): CapturedOutputs {
  const capture = () => {
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    const stream = { isTTY: columns !== undefined, columns, write } as unknown as NodeJS.WriteStream;
    return { screen: createScreen(stream, environment), text: () => written.join("") };
  };
  const [out, err] = [capture(), capture()];
  return { out: out.screen, err: err.screen, stdout: out.text, stderr: err.text };
}

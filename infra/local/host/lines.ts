import type { Readable } from "node:stream";

/**
 * Reads an output stream of an instance line by line. After each request, runner.cjs writes an end mark to the stream.
 * `untilMark` waits for this mark, so the host reads all lines of a request before it returns the outcome. If the stream ends,
 * `untilMark` stops waiting, because a killed instance writes no mark.
 */
export function readLines(stream: Readable, onLine: (line: string) => void) {
  let incompleteLine = "";
  let isClosed = false;
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();

  const settle = (mark: string) => {
    const resolve = waiting.get(mark);
    waiting.delete(mark);
    if (resolve) resolve();
    else seen.add(mark);
  };
  const handleLine = (line: string) => {
    // A mark is "\0<request id>\0". Other text can precede the mark if the output of the function has no final line break.
    const start = line.endsWith("\0") ? line.lastIndexOf("\0", line.length - 2) : -1;
    const text = start < 0 ? line : line.slice(0, start);
    if (text) onLine(text.replace(/\r$/, ""));
    if (start >= 0) settle(line.slice(start + 1, -1));
  };

  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (incompleteLine + chunk).split("\n");
    incompleteLine = lines.pop() ?? "";
    for (const line of lines) handleLine(line);
  });
  stream.on("close", () => {
    if (incompleteLine) handleLine(incompleteLine);
    isClosed = true;
    for (const mark of [...waiting.keys()]) settle(mark);
  });

  return {
    untilMark(requestId: string): Promise<void> {
      if (isClosed || seen.delete(requestId)) return Promise.resolve();
      return new Promise((resolve) => waiting.set(requestId, resolve));
    },
  };
}

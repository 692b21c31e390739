import type { Readable } from "node:stream";

/**
 * Reads a stream of an instance line by line. The runner writes a mark to each stream at the end of a request. `untilMark`
 * waits for that mark, so all lines of a request are read before its outcome is returned. The end of the stream counts as a
 * mark, because a killed instance writes none.
 */
export function readLines(stream: Readable, onLine: (line: string) => void) {
  let rest = "";
  let ended = false;
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();

  const settle = (mark: string) => {
    const resolve = waiting.get(mark);
    waiting.delete(mark);
    if (resolve) resolve();
    else seen.add(mark);
  };
  const handleLine = (line: string) => {
    // A mark is "\0<request id>\0". It can follow output that does not end with a line break.
    const start = line.endsWith("\0") ? line.lastIndexOf("\0", line.length - 2) : -1;
    const text = start < 0 ? line : line.slice(0, start);
    if (text) onLine(text.replace(/\r$/, ""));
    if (start >= 0) settle(line.slice(start + 1, -1));
  };

  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) handleLine(line);
  });
  stream.on("close", () => {
    if (rest) handleLine(rest);
    ended = true;
    for (const mark of [...waiting.keys()]) settle(mark);
  });

  return {
    untilMark(requestId: string): Promise<void> {
      if (ended || seen.delete(requestId)) return Promise.resolve();
      return new Promise((resolve) => waiting.set(requestId, resolve));
    },
  };
}

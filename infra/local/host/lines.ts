import type { Readable } from "node:stream";

/**
 * Reads a stream of an instance line by line. The runner ends a request with a mark on each stream; `untilMark` waits
 * for it (or for the end of the stream: a killed instance leaves none), so that a request's lines are all there before
 * its answer is passed on.
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
  const take = (line: string) => {
    // A mark is "\0<request id>\0" and follows straight on what was printed without a line end.
    const start = line.endsWith("\0") ? line.lastIndexOf("\0", line.length - 2) : -1;
    const text = start < 0 ? line : line.slice(0, start);
    if (text) onLine(text.replace(/\r$/, ""));
    if (start >= 0) settle(line.slice(start + 1, -1));
  };

  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
  stream.on("close", () => {
    if (rest) take(rest);
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

/** A call to LTS takes at most so much (DESIGN 4.6); a record is about 500 bytes. */
const MOST_LINES = 500;
const MOST_BYTES = 512 * 1024;
/** For the body around the lines, and for the quoting of each. */
const ENVELOPE_BYTES = 1024;

/** Cuts lines into batches that one call to the logging topic takes, in order. */
export function batchesOf(lines: string[]): string[][] {
  const batches: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const size = Buffer.byteLength(JSON.stringify(line)) + 1;
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MOST_LINES || bytes + size > MOST_BYTES) {
      batches.push([line]);
      bytes = ENVELOPE_BYTES + size;
    } else {
      batch.push(line);
      bytes += size;
    }
  }
  return batches;
}

/** A call to LTS takes at most so much (DESIGN 4.6); a record is about 500 bytes. */
const MOST_LINES = 500;
const MOST_BYTES = 512 * 1024;
/** For the body around the lines, and for the quoting of each. */
const ENVELOPE_BYTES = 1024;

/** Lines on their way to the logging topic. */
export interface Delivery {
  add(line: string): void;
  /**
   * Sends what the topic has not taken yet, in so many calls; `lost` is how many of all lines it did not take then either,
   * and why.
   */
  end(sendIn: (calls: number) => Send): Promise<{ lines: number; lost: number; why?: unknown }>;
}

type Send = (batch: string[]) => Promise<void>;

/**
 * Cuts lines into batches that one call to the logging topic takes, in order. A batch that is full goes out while the work
 * goes on, one after the other, so that a run over thousands holds few lines. Where the topic refuses one, that one and
 * what comes after it wait for the end.
 */
export function startDelivery(send: Send): Delivery {
  /** The last one may still grow. */
  const batches: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  let lines = 0;
  let refused: unknown;
  let ended = false;
  let sending: Promise<void> | undefined;

  const sendWhile = async (more: () => boolean, by: Send) => {
    try {
      while (more()) {
        await by(batches[0] as string[]);
        batches.shift();
      }
    } catch (thrown) {
      refused = thrown;
    }
  };
  return {
    add(line) {
      lines += 1;
      const size = Buffer.byteLength(JSON.stringify(line)) + 1;
      const batch = batches.at(-1);
      if (batch !== undefined && batch.length < MOST_LINES && bytes + size <= MOST_BYTES) {
        batch.push(line);
        bytes += size;
        return;
      }
      batches.push([line]);
      bytes = ENVELOPE_BYTES + size;
      if (batches.length === 1 || refused !== undefined || sending !== undefined) return;
      sending = sendWhile(() => !ended && batches.length > 1, send).then(() => {
        sending = undefined;
      });
    },
    async end(sendIn) {
      ended = true;
      await sending;
      refused = undefined;
      await sendWhile(() => batches.length > 0, sendIn(batches.length));
      return { lines, lost: batches.flat().length, why: refused };
    },
  };
}

import { asSnapshotError, type Reason } from "../core/errors.ts";

/** A call to LTS takes at most so much (DESIGN 4.6); a record is about 500 bytes. */
const MOST_LINES = 500;
const MOST_BYTES = 512 * 1024;
/** For the body around the lines, and for the quoting of each. */
const ENVELOPE_BYTES = 1024;

/** With these reasons the topic refuses every record, or there is no time: smaller batches change nothing. */
const OF_EVERY_RECORD = new Set<Reason>([
  "AccessDenied",
  "AccountSuspended",
  "NotFound",
  "Throttled",
  "DeadlineExceeded",
  "Misconfigured",
]);
/** With these it is the service that fails, rather than the record that is refused. */
const OF_THE_SERVICE = new Set<Reason>(["CloudError", "BadResponse"]);
/** It takes 10 failures in a row to isolate one record among 500. */
const ISOLATION = 12;
/** Failures in a row, while the topic has taken nothing, after which it is believed to refuse everything. */
const PATIENCE = 40;

/** Lines on their way to the logging topic. */
export interface Delivery {
  add(line: string): void;
  /**
   * Sends what the topic has not taken yet, in so many calls or more; `lost` is how many of all lines it did not take then
   * either, and why.
   */
  end(sendIn: (calls: number) => Send): Promise<{ lines: number; lost: number; why?: unknown }>;
}

type Send = (batch: string[]) => Promise<void>;

/**
 * Cuts lines into batches that one call to the logging topic takes, in order. A batch that is full is sent while the work
 * goes on, one after the other, so a run over thousands of targets holds few lines. A batch that is refused is divided until
 * the refused line is alone. A batch that fails for another reason is sent again with the next full batch, and at the end.
 */
export function startDelivery(send: Send): Delivery {
  /** The last one may still grow. */
  const batches: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  let lines = 0;
  let lost = 0;
  let why: unknown;
  let taken = false;
  let probed = false;
  let ended = false;
  let sending: Promise<void> | undefined;

  /** Returns why it stopped before all was sent. */
  const sendWhile = async (more: () => boolean, by: Send): Promise<unknown> => {
    let failures = 0;
    let cause: unknown;
    while (more()) {
      const batch = batches[0] as string[];
      try {
        await by(batch);
        batches.shift();
        taken = true;
        failures = 0;
      } catch (thrown) {
        if (failures === 0) cause = thrown;
        failures += 1;
        const { reason } = asSnapshotError(thrown);
        if (failures > most(reason)) {
          if (!ended || probed || OF_EVERY_RECORD.has(reason) || OF_THE_SERVICE.has(reason)) return cause;
          probe();
        } else if (batch.length > 1) {
          const half = batch.length >> 1;
          batches.splice(0, 1, batch.slice(0, half), batch.slice(half));
        } else {
          batches.shift();
          lost += 1;
          why ??= thrown;
        }
      }
    }
    return undefined;
  };
  /** How many failures in a row are worth a smaller batch. */
  const most = (reason: Reason): number => {
    if (OF_EVERY_RECORD.has(reason)) return 0;
    // A connection can break because of what a record says. It is not believed before the topic takes another one.
    if (reason === "Unreachable") return probed && taken ? ISOLATION : 0;
    if (OF_THE_SERVICE.has(reason)) return ended ? ISOLATION : 0;
    if (taken) return Number.POSITIVE_INFINITY;
    return ended ? PATIENCE : ISOLATION;
  };
  /** Moves the last line, the run's own record, to the front. If the topic accepts that line, it refuses only certain records. */
  const probe = () => {
    probed = true;
    taken = false;
    const last = batches.at(-1)?.pop() as string;
    if (batches.at(-1)?.length === 0) batches.pop();
    batches.unshift([last]);
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
      if (batches.length === 1 || sending !== undefined) return;
      sending = sendWhile(() => !ended && batches.length > 1, send).then(() => {
        sending = undefined;
      });
    },
    async end(sendIn) {
      ended = true;
      await sending;
      const stopped = await sendWhile(() => batches.length > 0, sendIn(batches.length));
      return { lines, lost: lost + batches.flat().length, why: why ?? stopped };
    },
  };
}

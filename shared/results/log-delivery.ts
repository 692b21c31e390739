import { asSnapshotError, type Reason } from "../core/errors.ts";

/** The most lines and bytes of one call to LTS. A record has about 500 bytes. */
const MAX_LINES = 500;
const MAX_BYTES = 512 * 1024;
/** The bytes of the body around the lines. */
const ENVELOPE_BYTES = 1024;

/** Errors that affect every record, or that leave no time. Smaller batches would fail too. */
const FATAL = new Set<Reason>([
  "AccessDenied",
  "AccountSuspended",
  "NotFound",
  "Throttled",
  "DeadlineExceeded",
  "Misconfigured",
]);
/** Errors of the service, which are probably not caused by a single record. */
const SERVICE_ERRORS = new Set<Reason>(["CloudError", "BadResponse"]);
/** The allowed number of consecutive failures. Isolating one record among 500 takes 10 of them. */
const MAX_FAILURES = 12;
/** The number of consecutive failures after which the topic is assumed to reject everything, if it has accepted nothing. */
const MAX_FAILURES_AT_END = 40;

/** Delivers lines to the logging topic. */
export interface Delivery {
  add(line: string): void;
  /**
   * Sends the remaining lines.
   *
   * @param sendIn returns the function that sends a batch; `calls` is the least number of calls
   * @returns the number of all lines, the number of lines that the topic did not accept, and the first error
   */
  end(sendIn: (calls: number) => Send): Promise<{ lines: number; lost: number; why?: unknown }>;
}

type Send = (batch: string[]) => Promise<void>;

/**
 * Starts a delivery, which divides the lines into batches and keeps their order. It sends each full batch during the run, one
 * after the other, so a run over thousands of targets keeps few lines in memory. If the topic rejects a batch, the delivery
 * divides it until the rejected line is isolated. If a batch fails for another reason, the delivery sends it again with the next
 * full batch and at the end.
 *
 * @param send sends a batch during the run
 */
export function startDelivery(send: Send): Delivery {
  /** Only the last batch can still grow. */
  const batches: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  let lines = 0;
  let lost = 0;
  let why: unknown;
  let accepted = false;
  let probed = false;
  let ended = false;
  let sending: Promise<void> | undefined;

  /** Sends batches while `hasMore` returns true. Returns the error that stopped it; undefined if nothing did. */
  const sendWhile = async (hasMore: () => boolean, sendBatch: Send): Promise<unknown> => {
    let failures = 0;
    let cause: unknown;
    while (hasMore()) {
      const batch = batches[0] as string[];
      try {
        await sendBatch(batch);
        batches.shift();
        accepted = true;
        failures = 0;
      } catch (thrown) {
        if (failures === 0) cause = thrown;
        failures += 1;
        const { reason } = asSnapshotError(thrown);
        if (failures > maxFailures(reason)) {
          if (!ended || probed || FATAL.has(reason) || SERVICE_ERRORS.has(reason)) return cause;
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
  /** Returns how many consecutive failures are allowed before sending stops. */
  const maxFailures = (reason: Reason): number => {
    if (FATAL.has(reason)) return 0;
    // A proxy can reset the connection because of the content of a record. This is assumed only after the topic accepts another.
    if (reason === "Unreachable") return probed && accepted ? MAX_FAILURES : 0;
    if (SERVICE_ERRORS.has(reason)) return ended ? MAX_FAILURES : 0;
    if (accepted) return Number.POSITIVE_INFINITY;
    return ended ? MAX_FAILURES_AT_END : MAX_FAILURES;
  };
  /** Moves the last line, the record of the run, to the front. If the topic accepts this line, it rejects only certain records. */
  const probe = () => {
    probed = true;
    accepted = false;
    const last = batches.at(-1)?.pop() as string;
    if (batches.at(-1)?.length === 0) batches.pop();
    batches.unshift([last]);
  };
  return {
    add(line) {
      lines += 1;
      const size = Buffer.byteLength(JSON.stringify(line)) + 1;
      const batch = batches.at(-1);
      if (batch !== undefined && batch.length < MAX_LINES && bytes + size <= MAX_BYTES) {
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

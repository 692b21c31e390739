import { asSnapshotError, type Reason } from "../core/errors.ts";

/** The maximum number of lines in one request to LTS. */
const MAX_LINES = 500;
/** The maximum size of one request to LTS in bytes. A record has about 500 bytes. */
const MAX_BYTES = 512 * 1024;
/** The size of a request body without the lines, in bytes. */
const ENVELOPE_BYTES = 1024;

/**
 * If a batch fails for one of these reasons, the delivery stops at once. Smaller batches would also fail, because the error
 * affects every record, or because no time is left.
 */
const FATAL_REASONS = new Set<Reason>([
  "AccessDenied",
  "AccountSuspended",
  "NotFound",
  "Throttled",
  "DeadlineExceeded",
  "Misconfigured",
]);
/** If a request fails for one of these reasons, the cause is probably LTS itself, and not the content of a record. */
const SERVICE_FAILURES = new Set<Reason>(["CloudError", "BadResponse"]);
/**
 * The maximum number of consecutive failures before the delivery stops. The delivery divides a failed batch into halves. If
 * one of 500 records is bad, 10 consecutive failures are necessary to find this record.
 */
const MAX_FAILURES = 12;
/**
 * After the run, the maximum number of consecutive failures if the topic has not accepted any record yet. If there are more
 * failures, the topic probably rejects every record.
 */
const MAX_FAILURES_AT_END = 40;

/** Delivers the lines of one invocation to the logging topic. */
export interface Delivery {
  /** Adds a line to the last batch. If the last batch is full, starts to send it, and adds the line to a new batch. */
  add(line: string): void;
  /**
   * Sends the remaining lines after the run.
   *
   * @param createSend receives the number of batches that remain, and returns the function that sends one batch
   * @returns the number of all lines, the number of lines that the topic did not accept, and the first error
   */
  end(createSend: (calls: number) => Send): Promise<{ lines: number; lost: number; why?: unknown }>;
}

/** Sends one batch of lines to the logging topic. Rejects if the topic does not accept the batch. */
type Send = (batch: string[]) => Promise<void>;

/**
 * Starts to deliver lines to the logging topic, in batches and in their order.
 *
 * - Each full batch is sent during the run, so a run over thousands of targets keeps few lines in memory.
 * - If the topic rejects a batch, the delivery divides the batch into halves until it finds the line that the topic
 *   rejects. The delivery drops this line.
 * - If a batch fails because the topic is not available, for example, the delivery keeps the batch. It sends the batch
 *   again when the next batch is full, and again after the run.
 *
 * @param send sends one batch during the run
 */
export function startDelivery(send: Send): Delivery {
  /** The batches that are not delivered yet. Lines are only added to the last batch. */
  const batches: string[][] = [];
  let bytes = Infinity;
  let lines = 0;
  let lost = 0;
  let why: unknown;
  let hasAccepted = false;
  let hasProbed = false;
  let isRunOver = false;
  let sending: Promise<void> | undefined;

  /**
   * Sends batches while `hasMore` returns true. Returns the error that stopped the delivery, or undefined if no error did.
   */
  const sendWhile = async (hasMore: () => boolean, sendBatch: Send): Promise<unknown> => {
    let failures = 0;
    let cause: unknown;
    while (hasMore()) {
      const batch = batches[0] as string[];
      try {
        await sendBatch(batch);
        batches.shift();
        hasAccepted = true;
        failures = 0;
      } catch (thrown) {
        if (failures === 0) cause = thrown;
        failures += 1;
        const { reason } = asSnapshotError(thrown);
        if (failures > maxFailures(reason)) {
          if (!isRunOver || hasProbed || FATAL_REASONS.has(reason) || SERVICE_FAILURES.has(reason)) return cause;
          moveLastLineFirst();
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
  /**
   * Returns how many consecutive failures are allowed before the delivery stops. `reason` is the reason of the latest
   * failure.
   */
  const maxFailures = (reason: Reason): number => {
    if (FATAL_REASONS.has(reason)) return 0;
    // If the topic cannot be reached, a proxy may have reset the connection because of the content of one record. Assume this
    // only if the topic has accepted another record.
    if (reason === "Unreachable") return hasProbed && hasAccepted ? MAX_FAILURES : 0;
    if (SERVICE_FAILURES.has(reason)) return isRunOver ? MAX_FAILURES : 0;
    if (hasAccepted) return Infinity;
    return isRunOver ? MAX_FAILURES_AT_END : MAX_FAILURES;
  };
  /**
   * Makes a batch of the last line, which is the record of the run, and puts this batch first. If the topic accepts this
   * line, the topic does not reject every record.
   */
  const moveLastLineFirst = () => {
    hasProbed = true;
    hasAccepted = false;
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
      sending = sendWhile(() => !isRunOver && batches.length > 1, send).then(() => {
        sending = undefined;
      });
    },
    async end(createSend) {
      isRunOver = true;
      await sending;
      const stopped = await sendWhile(() => batches.length > 0, createSend(batches.length));
      return { lines, lost: lost + batches.flat().length, why: why ?? stopped };
    },
  };
}

import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";

/** The default limit for the body of a success response, which is a page of a list. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;
/** The limit for the body of an error response, and for the response to a call that changes something. */
export const MAX_SMALL_BYTES = 64 * 1024;
/** Bodies up to this size are read concurrently. A longer body waits until no other long body is in memory. */
const MAX_CONCURRENT_BYTES = 256 * 1024;

/** The error for a body that is longer than the caller's limit. */
export class BodyTooLarge extends Error {}

/** Allows one long body in memory at a time, because eight pages of 4 MiB do not fit into a function of 128 MB. */
export interface LongBodyLock {
  /** Waits until no other long body is in memory. Returns a function that releases the lock. */
  acquire(): Promise<() => void>;
}

/** Creates the lock that all requests of a transport share. */
export function createLongBodyLock(): LongBodyLock {
  let last: Promise<void> = Promise.resolve();
  return {
    async acquire() {
      const previous = last;
      let release = () => {};
      last = new Promise((resolve) => {
        release = resolve;
      });
      await previous;
      return release;
    },
  };
}

/** The body of a response. */
export interface ResponseBody {
  text: string;
  /** The rows that a BodyReader removed from the text. The caller decodes each of them with `decodeUtf8`. */
  rows?: string[];
}

/** UTF-8 bytes, one per character. V8 needs half as much memory for such a string if a list has characters beyond Latin-1. */
type Bytes = string;

/** Decodes UTF-8 bytes. */
export const decodeUtf8 = (bytes: Bytes): string => Buffer.from(bytes, "latin1").toString("utf8");

/** Processes a long body while it arrives, so its complete text is never in memory. */
export interface BodyReader {
  add(bytes: Bytes): void;
  end(): ResponseBody;
}

/**
 * Reads the body of a response as UTF-8. The body of an error response is cut after 64 KiB, because its beginning is enough.
 *
 * @param maxBytes the limit for a success response
 * @param reader processes the body of a success response if it is long
 * @throws BodyTooLarge for a longer success response; Error if the body ends early
 */
export async function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  lock: LongBodyLock,
  reader?: BodyReader,
): Promise<ResponseBody> {
  const { statusCode = 0 } = incoming;
  const isError = statusCode >= 400;
  const limit = isError ? Math.min(maxBytes, MAX_SMALL_BYTES) : maxBytes;
  const split = isError ? undefined : reader;
  const decoder = new StringDecoder(split === undefined ? "utf8" : "latin1");
  const parts: string[] = [];
  let size = 0;
  let release: (() => void) | undefined;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      // Decodes each chunk as it arrives, because a body in memory as bytes and as text takes twice its size.
      parts.push(decoder.write(chunk.subarray(0, Math.max(0, limit - size))));
      size += chunk.length;
      if (size > limit) {
        // Leaving the loop destroys the response and its connection.
        if (isError) break;
        throw new BodyTooLarge(`a response of more than ${limit} bytes`);
      }
      if (size <= MAX_CONCURRENT_BYTES) continue;
      release ??= await lock.acquire();
      if (split !== undefined) for (const part of parts.splice(0)) split.add(part);
    }
    if (!incoming.complete && size <= limit) throw new Error("the response was cut off");
    parts.push(decoder.end());
    const rest = parts.join("");
    if (split === undefined) return { text: rest };
    if (size <= MAX_CONCURRENT_BYTES) return { text: decodeUtf8(rest) };
    split.add(rest);
    const { text, rows } = split.end();
    return { text: decodeUtf8(text), rows };
  } finally {
    // Releases the lock after this turn of the event loop, in which the caller parses the text.
    if (release !== undefined) setImmediate(release);
  }
}

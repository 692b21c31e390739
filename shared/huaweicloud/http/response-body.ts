import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";

/** The default maximum size of a success response, such as one page of a list, in bytes. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;
/** The maximum size in bytes of an error response, and of a response to a request that creates or deletes something. */
export const MAX_SMALL_BYTES = 64 * 1024;
/**
 * The maximum size, in bytes, of a response body that is read at the same time as other bodies. A longer body waits until no
 * other long body is in memory.
 */
const MAX_CONCURRENT_BYTES = 256 * 1024;

/** The error for a response body that is longer than the caller's limit. */
export class BodyTooLarge extends Error {}

/**
 * Allows only one long response body in memory at a time. By default, a function sends up to eight requests at the same time. Each
 * response can be a list page of 4 MiB, and needs several times as much memory once it is parsed. Eight of these pages would not
 * fit into a function of 128 MB.
 */
export interface LongBodyLock {
  /** Waits until no other long response body is in memory. Returns a function that releases the lock. */
  acquire(): Promise<() => void>;
}

/** Creates the lock for long response bodies that all requests of a transport share. */
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

/** The body of an HTTP response, as a string or split into its rows. */
export interface ResponseBody {
  text: string;
  /** The rows that a BodyReader removed from `text`. The caller decodes each row with `decodeUtf8`. */
  rows?: string[];
}

/**
 * A string with one UTF-8 byte per character. If a list contains characters beyond Latin-1, V8 needs half as much memory for
 * such a string as for decoded text.
 */
type Bytes = string;

/** Decodes a string of UTF-8 bytes into text. */
export const decodeUtf8 = (bytes: Bytes): string => Buffer.from(bytes, "latin1").toString("utf8");

/** Processes a long response body while it arrives, so the complete body is never in memory. */
export interface BodyReader {
  add(bytes: Bytes): void;
  end(): ResponseBody;
}

/**
 * Reads a response body as UTF-8. Only the first 64 KiB of an error response are read, because its beginning is enough.
 *
 * @param maxBytes the maximum size of a success response
 * @param reader processes the body of a success response that is longer than `MAX_CONCURRENT_BYTES`
 * @throws BodyTooLarge if a success response is longer than `maxBytes`; Error if the connection closes before the body is
 *   complete
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
  const splitter = isError ? undefined : reader;
  const decoder = new StringDecoder(splitter === undefined ? "utf8" : "latin1");
  const parts: string[] = [];
  let size = 0;
  let release: (() => void) | undefined;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      // Decodes each chunk as it arrives. Otherwise the body would be in memory twice, as bytes and as text.
      parts.push(decoder.write(chunk.subarray(0, Math.max(0, limit - size))));
      size += chunk.length;
      if (size > limit) {
        // Leaving the loop closes the connection.
        if (isError) break;
        throw new BodyTooLarge(`the response is longer than ${limit} bytes`);
      }
      if (size <= MAX_CONCURRENT_BYTES) continue;
      release ??= await lock.acquire();
      if (splitter !== undefined) for (const part of parts.splice(0)) splitter.add(part);
    }
    if (!incoming.complete && size <= limit) throw new Error("the response was cut off");
    parts.push(decoder.end());
    const rest = parts.join("");
    if (splitter === undefined) return { text: rest };
    if (size <= MAX_CONCURRENT_BYTES) return { text: decodeUtf8(rest) };
    splitter.add(rest);
    const { text, rows } = splitter.end();
    return { text: decodeUtf8(text), rows };
  } finally {
    // The caller parses the text in this turn of the event loop, so the lock must not be released before the next turn.
    if (release !== undefined) setImmediate(release);
  }
}

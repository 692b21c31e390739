import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";

/** The default limit for the body of a successful response: a page of a list. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;
/** The limit for the body of an error, and for the response to a call that changes something. */
export const MAX_SMALL_BYTES = 64 * 1024;
/** Bodies up to this size are read side by side; a longer one waits until no other long one is in memory. */
const SHARED_BYTES = 256 * 1024;

/** A body that is longer than the caller's limit. */
export class BodyTooLarge extends Error {}

/** Lets one long body be in memory at a time: eight pages of 4 MiB at once do not fit into a function of 128 MB. */
export interface LongBodies {
  /** Resolves once no other long body is in memory; the function that it gives ends the turn. */
  acquire(): Promise<() => void>;
}

export function longBodies(): LongBodies {
  let last: Promise<void> = Promise.resolve();
  return {
    async acquire() {
      const before = last;
      let release = () => {};
      last = new Promise((resolve) => {
        release = resolve;
      });
      await before;
      return release;
    },
  };
}

/** The body of a response. */
export interface Body {
  text: string;
  /** The rows of a list that the text has no more: each is to be decoded with `decodeUtf8`. */
  rows?: string[];
}

/** The bytes of UTF-8, each as one character. A list with one sign beyond Latin-1 takes half as much memory so. */
type Bytes = string;

export const decodeUtf8 = (bytes: Bytes): string => Buffer.from(bytes, "latin1").toString("utf8");

/** Takes a long body while it arrives, in place of the text as a whole. */
export interface BodyReader {
  add(bytes: Bytes): void;
  end(): Body;
}

/**
 * Reads a response's body as UTF-8. An error's body is cut after 64 KiB, because its beginning says what there is to know.
 *
 * @param maxBytes of a success
 * @param reader of a success that is long
 * @throws BodyTooLarge for a longer success; Error where the body ends early
 */
export async function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  turns: LongBodies,
  reader?: BodyReader,
): Promise<Body> {
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
      // Decoded at once: a body that is held as bytes and as text takes twice its size.
      parts.push(decoder.write(chunk.subarray(0, Math.max(0, limit - size))));
      size += chunk.length;
      if (size > limit) {
        // Leaving the loop destroys the response, and with it the connection.
        if (isError) break;
        throw new BodyTooLarge(`an answer of more than ${limit} bytes`);
      }
      if (size <= SHARED_BYTES) continue;
      release ??= await turns.acquire();
      if (split !== undefined) for (const part of parts.splice(0)) split.add(part);
    }
    if (!incoming.complete && size <= limit) throw new Error("the answer was cut off");
    parts.push(decoder.end());
    const rest = parts.join("");
    if (split === undefined) return { text: rest };
    if (size <= SHARED_BYTES) return { text: decodeUtf8(rest) };
    split.add(rest);
    const { text, rows } = split.end();
    return { text: decodeUtf8(text), rows };
  } finally {
    // Release only after the caller has parsed the text, which it does in this turn of the event loop.
    if (release !== undefined) setImmediate(release);
  }
}

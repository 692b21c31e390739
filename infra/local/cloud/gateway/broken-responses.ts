/** Sends broken responses as a proxy or a failing connection could send them. For example, a response stops in the middle. */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

interface Response {
  status: number;
  text: string;
}

/** Sends `101 Switching Protocols` and leaves the connection open. */
export function sendUpgrade(response: ServerResponse, headers: Record<string, string>): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Write to the socket, because Node.js's response object would send more headers than `headers`.
  response.socket?.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
}

/** Sends `count` informational responses, alternating between `100 Continue` and `103 Early Hints`. */
export function sendInformational(response: ServerResponse, count: number): void {
  for (let sent = 0; sent < count && !response.destroyed; sent += 1) {
    if (sent % 2 === 0) response.writeContinue();
    else response.writeEarlyHints({ link: "</>; rel=preload" });
  }
}

/** Sends the headers and the first 8 bytes of the body, and then leaves the connection open without sending more. */
export function sendStalled(response: ServerResponse, { status, text }: Response): void {
  writeHead(response, status, text);
  response.write(Buffer.from(text).subarray(0, 8));
}

/** Sends the body slowly: one byte every `ms` milliseconds. */
export async function sendSlowly(response: ServerResponse, { status, text }: Response, ms: number): Promise<void> {
  writeHead(response, status, text);
  for (const byte of Buffer.from(text)) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await sleep(ms, undefined, { ref: false });
  }
  response.end();
}

/** Writes raw bytes to the connection and closes it. Node.js does not check these bytes. */
export function sendRaw(response: ServerResponse, bytes: Buffer): void {
  response.socket?.end(bytes);
}

function writeHead(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
}

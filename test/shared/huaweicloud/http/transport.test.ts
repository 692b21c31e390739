import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { decodeUtf8 } from "../../../../shared/huaweicloud/http/response-body.ts";
import { type HttpRequest, nodeTransport, TransportFailure } from "../../../../shared/huaweicloud/http/transport.ts";
import { selfSigned } from "../../../support/certificate.ts";
import { startHttpServer, startTcpServer } from "../../../support/wire.ts";

const OK = "HTTP/1.1 200 OK\r\n";

const get = (url: string, changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET",
  url: new URL(url),
  headers: { accept: "application/json" },
  timeoutMs: 5_000,
  ...changes,
});
const post = (url: string, body: string, changes: Partial<HttpRequest> = {}): HttpRequest =>
  get(url, { method: "POST", body, headers: { "content-type": "application/json" }, ...changes });

/** Sends a request that must fail, and returns the failure. */
async function failureOf(request: HttpRequest, send = nodeTransport()): Promise<TransportFailure> {
  const failure = await send(request).then(
    ({ status }) => new Error(`Expected a failure, got ${status}`),
    (thrown: unknown) => thrown,
  );
  expect(failure).toBeInstanceOf(TransportFailure);
  return failure as TransportFailure;
}

const closed = (socket: Socket | undefined): Promise<void> =>
  new Promise((resolve) => (socket?.destroyed === false ? socket.once("close", () => resolve()) : resolve()));

describe("a request and its response", () => {
  test("the transport sends the body of a request and returns the body of the response without changing a byte", async () => {
    const server = await startHttpServer((_incoming, response) => {
      response.writeHead(202, { "x-request-id": "r1", "content-type": "application/json" });
      const bytes = Buffer.from('{"name":"Größe 雪 🎉"}');
      // Writing single bytes splits every character that has more than one byte.
      for (const byte of bytes) response.write(Buffer.from([byte]));
      response.end();
    });
    const body = '{"description":"naïve 雪\\ud83d"}';
    const response = await nodeTransport()(post(`${server.origin}/v2/p/x?a=1%202&b=%2B`, body));
    expect(response).toMatchObject({ status: 202, headers: { "x-request-id": "r1" }, text: '{"name":"Größe 雪 🎉"}' });
    expect(server.received).toMatchObject([{ method: "POST", url: "/v2/p/x?a=1%202&b=%2B", body }]);
    expect(server.received[0]?.headers["content-length"]).toBe(String(Buffer.byteLength(body)));
  });

  test("the transport sends no Content-Length header for a request without a body, and never an Accept-Encoding header", async () => {
    const server = await startHttpServer((_incoming, response) => response.end("{}"));
    await nodeTransport()(get(`${server.origin}/`));
    expect(server.received[0]?.headers).toEqual({
      accept: "application/json",
      connection: "keep-alive",
      host: new URL(server.origin).host,
    });
  });

  test("the transport returns a response of any status and does not follow redirects", async () => {
    const server = await startHttpServer((incoming, response) => {
      response.writeHead(Number(incoming.url?.slice(1)), { location: "http://127.0.0.1:1/" }).end();
    });
    const send = nodeTransport();
    for (const status of [200, 204, 301, 304, 307, 400, 429, 500, 599]) {
      expect(await send(get(`${server.origin}/${status}`))).toMatchObject({ status, text: "" });
    }
    expect(server.received).toHaveLength(9);
  });

  test("the transport ignores an interim response with the status 102", async () => {
    const server = await startHttpServer((_incoming, response) => {
      response.writeProcessing();
      response.end('{"done":true}');
    });
    expect(await nodeTransport()(get(server.origin))).toMatchObject({ status: 200, text: '{"done":true}' });
  });

  test("the transport returns the matching response to each of 100 concurrent requests", async () => {
    const server = await startHttpServer((incoming, response) => {
      setTimeout(() => response.end(incoming.url), (Number(incoming.url?.slice(1)) * 7) % 20);
    });
    const send = nodeTransport();
    const responses = await Promise.all([...Array(100).keys()].map((n) => send(get(`${server.origin}/${n}`))));
    expect(responses.map(({ text }) => text)).toEqual([...Array(100).keys()].map((n) => `/${n}`));
  });
});

describe("connections", () => {
  test("the transport sends five consecutive requests over one connection", async () => {
    const server = await startHttpServer((_incoming, response) => response.end("{}"));
    const send = nodeTransport();
    for (let n = 0; n < 5; n += 1) await send(get(server.origin));
    expect(server.connections).toHaveLength(1);
  });

  test("the transport opens a new connection after the server has closed the idle connection", async () => {
    const server = await startHttpServer((_incoming, response) => response.end("{}"));
    const send = nodeTransport();
    await send(get(server.origin));
    server.connections[0]?.end();
    await closed(server.connections[0]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await send(get(server.origin))).toMatchObject({ status: 200 });
    expect(server.connections).toHaveLength(2);
  });

  test("the transport does not repeat a request after a connection reset, because the request may have arrived", async () => {
    let requests = 0;
    const server = await startTcpServer((socket) =>
      socket.on("data", () => {
        requests += 1;
        if (requests === 1) socket.write(`${OK}Content-Length: 2\r\nConnection: keep-alive\r\n\r\n{}`);
        else socket.resetAndDestroy();
      }),
    );
    const send = nodeTransport();
    await send(get(server.origin));
    const failure = await failureOf(post(server.origin, "{}"), send);
    expect(failure).toMatchObject({ requestSent: true, answered: false });
    expect(failure.message).toMatch(/ECONNRESET|EPIPE/);
    expect(requests).toBe(2);
  });

  test("the transport closes the connection after a timeout, so the next request does not read the response to the earlier request", async () => {
    const server = await startHttpServer((incoming, response) => {
      if (incoming.url === "/slow") response.write("{");
      else response.end("{}");
    });
    const send = nodeTransport();
    await failureOf(get(`${server.origin}/slow`, { timeoutMs: 30 }), send);
    expect(await send(get(server.origin))).toMatchObject({ text: "{}" });
    await closed(server.connections[0]);
    expect(server.connections).toHaveLength(2);
  });
});

describe("a request without a complete response", () => {
  test("the transport reports requestSent = false if no server listens at the address", async () => {
    const failure = await failureOf(post("http://127.0.0.1:1", "{}"));
    expect(failure).toMatchObject({ requestSent: false, answered: false });
    expect(failure.message).toContain("ECONNREFUSED");
  });

  test("the transport fails and closes the connection if no response arrives within the timeout", async () => {
    const server = await startHttpServer(() => {});
    const startedAt = performance.now();
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 60 }));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(failure).toMatchObject({ message: "no response within 60 ms", requestSent: true, answered: false });
    await closed(server.connections[0]);
  });

  test("the transport fails if the server sends a byte every 5 ms but does not complete the body within the timeout", async () => {
    const server = await startHttpServer((_incoming, response) => {
      const dripping = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(dripping));
    });
    const failure = await failureOf(get(server.origin, { timeoutMs: 80 }));
    expect(failure).toMatchObject({ message: "no response within 80 ms", requestSent: true, answered: true });
  });

  test("the transport reports requestSent = false and sends no data if the TLS handshake is not completed", async () => {
    let bytes = "";
    const server = await startTcpServer((socket) =>
      socket.on("data", (chunk) => {
        bytes += chunk.toString("latin1");
      }),
    );
    const url = server.origin.replace("http:", "https:");
    const failure = await failureOf(post(`${url}/secret-path`, "secret body", { timeoutMs: 80 }));
    expect(failure).toMatchObject({ requestSent: false, answered: false });
    expect(bytes).not.toContain("secret");
  });

  test("the transport rejects a self-signed certificate and sends no request", async () => {
    const server = await startHttpServer(
      (_incoming, response) => response.end("{}"),
      selfSigned({ ip: [127, 0, 0, 1] }),
    );
    const failure = await failureOf(post(server.origin, "{}"));
    expect(failure).toMatchObject({ requestSent: false, answered: false });
    expect(failure.message).toMatch(/^DEPTH_ZERO_SELF_SIGNED_CERT: /);
    expect(server.received).toEqual([]);
  });

  test.each<[what: string, talk: (socket: Socket) => void, answered: boolean]>([
    ["resets the connection", (socket) => socket.resetAndDestroy(), false],
    ["closes the connection without a response", (socket) => socket.end(), false],
    ["sends a response that is not HTTP", (socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"), false],
    ["sends 100,000 bytes of headers", (socket) => socket.write(`${OK}x: ${"x".repeat(100_000)}\r\n\r\n`), false],
    ["sends half a body", (socket) => socket.end(`${OK}Content-Length: 10\r\n\r\n{}`), true],
    ["sends half a chunk", (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\na\r\n{}`), true],
    ["sends an invalid chunk", (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}`), true],
  ])("the transport fails if the server %s", async (_what, talk, answered) => {
    const server = await startTcpServer((socket) => socket.once("data", () => talk(socket)));
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 500 }));
    expect(failure).toMatchObject({ requestSent: true, answered });
    expect(failure.message).not.toContain("no response within");
  });

  test.each([
    [
      "101 and an Upgrade header",
      "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\n",
      "switched protocols",
    ],
    ["101 without an Upgrade header", "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n\r\n", "switched protocols"],
    ["101 without headers", "HTTP/1.1 101 Switching\r\n\r\n", "switched protocols"],
    ["100 but no final response", "HTTP/1.1 100 Continue\r\n\r\n", "no response within 300 ms"],
  ])("the transport fails if the server sends the status %s", async (_what, text, message) => {
    const server = await startTcpServer((socket) => socket.once("data", () => socket.write(text)));
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 300 }));
    expect(failure).toMatchObject({ requestSent: true, message: expect.stringContaining(message) });
    await closed(server.connections[0]);
  });

  test("the transport fails if the server sends only part of the response body within the timeout", async () => {
    const talk = (socket: Socket) => socket.once("data", () => socket.write(`${OK}Content-Length: 10\r\n\r\n{}`));
    const server = await startTcpServer(talk);
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 80 }));
    expect(failure).toMatchObject({ message: "no response within 80 ms", requestSent: true, answered: true });
  });
});

describe("the size of a response", () => {
  /** Starts a server that never stops sending the response body. */
  const startEndlessServer = (status: number) => {
    const block = Buffer.alloc(64 * 1024, 32);
    return startHttpServer((_incoming, response) => {
      response.writeHead(status);
      const more = () => {
        while (!response.destroyed) if (!response.write(block)) return response.once("drain", more);
      };
      more();
    });
  };

  test.each([
    ["the default limit of 4 MiB", undefined],
    ["a limit of 64 KiB", 64 * 1024],
    ["a limit of 16 MiB", 16 * 1024 * 1024],
  ])("the transport fails if the body of a success response exceeds %s", async (_limit, maxBytes) => {
    const server = await startEndlessServer(200);
    const failure = await failureOf(get(server.origin, { maxBytes }));
    expect(failure).toMatchObject({ requestSent: true, answered: true, tooLarge: true });
    expect(failure.message).toBe(`the response is longer than ${maxBytes ?? 4 * 1024 * 1024} bytes`);
    await closed(server.connections[0]);
  });

  test("the transport returns the status and the first 64 KiB of an endless error response", async () => {
    const server = await startEndlessServer(503);
    const response = await nodeTransport()(get(server.origin));
    expect([response.status, response.text.length]).toEqual([503, 64 * 1024]);
    await closed(server.connections[0]);
  });

  test("the transport returns eight concurrent responses of 2 MiB completely", async () => {
    const text = "é".repeat(1024 * 1024);
    const server = await startHttpServer((_incoming, response) => response.end(text));
    const send = nodeTransport();
    const texts = await Promise.all(Array.from({ length: 8 }, async () => (await send(get(server.origin))).text));
    expect(texts.every((received) => received === text)).toBe(true);
  });

  test.each([2, 10_000])(
    "the transport returns the non-ASCII characters of a list response with %i rows unchanged",
    async (count) => {
      const row = { name: "é\u{1f4be}\u4e2d", padding: "x".repeat(50) };
      const text = JSON.stringify({ title: "é", snapshots: Array.from({ length: count }, () => row) });
      const server = await startHttpServer((_incoming, response) => response.end(text));
      const { rows = [], ...rest } = await nodeTransport()(get(server.origin, { rowsOf: "snapshots" }));
      const list = JSON.parse(rest.text);
      expect(list.title).toBe("é");
      expect([...list.snapshots, ...rows.map((bytes) => JSON.parse(decodeUtf8(bytes)))]).toEqual(
        Array.from({ length: count }, () => row),
      );
    },
  );

  test("the transport reads a long response even if another long response times out", async () => {
    const server = await startHttpServer((incoming, response) => {
      response.write(" ".repeat(300 * 1024));
      if (incoming.url === "/whole") response.end();
    });
    const send = nodeTransport();
    const [stuck, whole] = await Promise.allSettled([
      send(get(`${server.origin}/stuck`, { timeoutMs: 100 })),
      send(get(`${server.origin}/whole`)),
    ]);
    expect([stuck.status, whole.status]).toEqual(["rejected", "fulfilled"]);
  });

  test("the transport rejects an invalid header value and does not show the value in the error", async () => {
    const server = await startHttpServer((_incoming, response) => response.end("{}"));
    const failure = await failureOf(get(server.origin, { headers: { "X-Auth-Token": "a secret\ntoken" } }));
    expect(failure).toMatchObject({ requestSent: false, answered: false });
    expect(failure.message).not.toContain("secret");
    expect(server.received).toEqual([]);
  });
});

import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { decodeUtf8 } from "../../../../shared/huaweicloud/http/response-body.ts";
import { type HttpRequest, nodeTransport, TransportFailure } from "../../../../shared/huaweicloud/http/transport.ts";
import { selfSigned } from "../../../support/certificate.ts";
import { answering, speaking } from "../../../support/wire.ts";

const get = (url: string, changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET",
  url: new URL(url),
  headers: { accept: "application/json" },
  timeoutMs: 5_000,
  ...changes,
});
const post = (url: string, body: string, changes: Partial<HttpRequest> = {}): HttpRequest =>
  get(url, { method: "POST", body, headers: { "content-type": "application/json" }, ...changes });

/** How a request failed: what an operator reads, and what is known of how far it came. */
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

describe("a request and its answer", () => {
  test("arrive as they were sent, to the byte", async () => {
    const server = await answering((_incoming, response) => {
      response.writeHead(202, { "x-request-id": "r1", "content-type": "application/json" });
      const bytes = Buffer.from('{"name":"Größe 雪 🎉"}');
      // In single bytes, so that each letter of more than one is torn apart.
      for (const byte of bytes) response.write(Buffer.from([byte]));
      response.end();
    });
    const body = '{"description":"naïve 雪\\ud83d"}';
    const answer = await nodeTransport()(post(`${server.origin}/v2/p/x?a=1%202&b=%2B`, body));
    expect(answer).toMatchObject({ status: 202, headers: { "x-request-id": "r1" }, text: '{"name":"Größe 雪 🎉"}' });
    expect(server.seen).toMatchObject([{ method: "POST", url: "/v2/p/x?a=1%202&b=%2B", body }]);
    expect(server.seen[0]?.headers["content-length"]).toBe(String(Buffer.byteLength(body)));
  });

  test("without a body there is no length, and nothing asks for a compressed answer", async () => {
    const server = await answering((_incoming, response) => response.end("{}"));
    await nodeTransport()(get(`${server.origin}/`));
    expect(server.seen[0]?.headers).toEqual({
      accept: "application/json",
      connection: "keep-alive",
      host: new URL(server.origin).host,
    });
  });

  test("every status is an answer, a redirect and an empty one too", async () => {
    const server = await answering((incoming, response) => {
      response.writeHead(Number(incoming.url?.slice(1)), { location: "http://127.0.0.1:1/" }).end();
    });
    const send = nodeTransport();
    for (const status of [200, 204, 301, 304, 307, 400, 429, 500, 599]) {
      expect(await send(get(`${server.origin}/${status}`))).toMatchObject({ status, text: "" });
    }
    expect(server.seen).toHaveLength(9);
  });

  test("an interim answer is not taken for the answer", async () => {
    const server = await answering((_incoming, response) => {
      response.writeProcessing();
      response.end('{"done":true}');
    });
    expect(await nodeTransport()(get(server.origin))).toMatchObject({ status: 200, text: '{"done":true}' });
  });

  test("a hundred requests at once get each its own answer", async () => {
    const server = await answering((incoming, response) => {
      setTimeout(() => response.end(incoming.url), (Number(incoming.url?.slice(1)) * 7) % 20);
    });
    const send = nodeTransport();
    const answers = await Promise.all([...Array(100).keys()].map((n) => send(get(`${server.origin}/${n}`))));
    expect(answers.map(({ text }) => text)).toEqual([...Array(100).keys()].map((n) => `/${n}`));
  });
});

describe("connections", () => {
  test("one is kept open for the next request", async () => {
    const server = await answering((_incoming, response) => response.end("{}"));
    const send = nodeTransport();
    for (let n = 0; n < 5; n += 1) await send(get(server.origin));
    expect(server.connections).toHaveLength(1);
  });

  test("one that the server closed while it was idle is not used again", async () => {
    const server = await answering((_incoming, response) => response.end("{}"));
    const send = nodeTransport();
    await send(get(server.origin));
    server.connections[0]?.end();
    await closed(server.connections[0]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await send(get(server.origin))).toMatchObject({ status: 200 });
    expect(server.connections).toHaveLength(2);
  });

  test("a request that meets a closing connection may have arrived, so it is not sent again", async () => {
    let requests = 0;
    const server = await speaking((socket) =>
      socket.on("data", () => {
        requests += 1;
        if (requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}");
        else socket.resetAndDestroy();
      }),
    );
    const send = nodeTransport();
    await send(get(server.origin));
    const failure = await failureOf(post(server.origin, "{}"), send);
    expect(failure).toMatchObject({ sent: true, answered: false });
    expect(failure.message).toMatch(/ECONNRESET|EPIPE/);
    expect(requests).toBe(2);
  });

  test("a failed answer ends its connection, so that the next request does not read the rest of it", async () => {
    const server = await answering((incoming, response) => {
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

describe("no answer", () => {
  test("nobody listens: nothing was sent", async () => {
    const failure = await failureOf(post("http://127.0.0.1:1", "{}"));
    expect(failure).toMatchObject({ sent: false, answered: false });
    expect(failure.message).toContain("ECONNREFUSED");
  });

  test("silence ends after the time of an attempt, and the connection with it", async () => {
    const server = await answering(() => {});
    const began = performance.now();
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 60 }));
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(failure).toMatchObject({ message: "no answer within 60 ms", sent: true, answered: false });
    await closed(server.connections[0]);
  });

  test("an answer that drips for ever ends as well: the time is for the whole attempt", async () => {
    const server = await answering((_incoming, response) => {
      const dripping = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(dripping));
    });
    const failure = await failureOf(get(server.origin, { timeoutMs: 80 }));
    expect(failure).toMatchObject({ message: "no answer within 80 ms", sent: true, answered: true });
  });

  test("a handshake that never ends: nothing was sent", async () => {
    let bytes = "";
    const server = await speaking((socket) => socket.on("data", (chunk) => (bytes += chunk.toString("latin1"))));
    const url = server.origin.replace("http:", "https:");
    const failure = await failureOf(post(`${url}/secret-path`, "secret body", { timeoutMs: 80 }));
    expect(failure).toMatchObject({ sent: false, answered: false });
    expect(bytes).not.toContain("secret");
  });

  test("a certificate that nobody vouches for: nothing was sent", async () => {
    const server = await answering((_incoming, response) => response.end("{}"), selfSigned({ ip: [127, 0, 0, 1] }));
    const failure = await failureOf(post(server.origin, "{}"));
    expect(failure).toMatchObject({ sent: false, answered: false });
    expect(failure.message).toMatch(/^DEPTH_ZERO_SELF_SIGNED_CERT: /);
    expect(server.seen).toEqual([]);
  });

  test.each<[what: string, talk: (socket: Socket) => void, answered: boolean]>([
    ["a reset", (socket) => socket.resetAndDestroy(), false],
    ["a goodbye", (socket) => socket.end(), false],
    ["no HTTP at all", (socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"), false],
    ["headers without end", (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`), false],
    ["half a body", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), true],
    ["half a chunk", (socket) => socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{}"), true],
    ["a torn chunk", (socket) => socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"), true],
  ])("%s is a failure, never an answer", async (_what, talk, answered) => {
    const server = await speaking((socket) => socket.once("data", () => talk(socket)));
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 500 }));
    expect(failure).toMatchObject({ sent: true, answered });
    expect(failure.message).not.toContain("no answer within");
  });

  test.each([
    [
      "101 with its headers",
      "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\n",
      "changed the protocol",
    ],
    ["101 without the header Upgrade", "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n\r\n", "changed the protocol"],
    ["101 without headers", "HTTP/1.1 101 Switching\r\n\r\n", "changed the protocol"],
    ["100 and nothing after it", "HTTP/1.1 100 Continue\r\n\r\n", "no answer within 300 ms"],
  ])("a response %s is a failure, never a silence", async (_what, text, message) => {
    const server = await speaking((socket) => socket.once("data", () => socket.write(text)));
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 300 }));
    expect(failure).toMatchObject({ sent: true, message: expect.stringContaining(message) });
    await closed(server.connections[0]);
  });

  test("a response that stops after its headers ends with the time of an attempt", async () => {
    const server = await speaking((socket) =>
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}")),
    );
    const failure = await failureOf(post(server.origin, "{}", { timeoutMs: 80 }));
    expect(failure).toMatchObject({ message: "no answer within 80 ms", sent: true, answered: true });
  });
});

describe("the size of a response", () => {
  /** A server whose responses never end. */
  const endless = (status: number) => {
    const block = Buffer.alloc(64 * 1024, 32);
    return answering((_incoming, response) => {
      response.writeHead(status);
      const more = () => {
        while (!response.destroyed) if (!response.write(block)) return response.once("drain", more);
      };
      more();
    });
  };

  test.each([undefined, 64 * 1024, 16 * 1024 * 1024])(
    "a success that is longer than the limit of %s bytes is a failure",
    async (maxBytes) => {
      const server = await endless(200);
      const failure = await failureOf(get(server.origin, { maxBytes }));
      expect(failure).toMatchObject({ sent: true, answered: true, tooLarge: true });
      expect(failure.message).toBe(`an answer of more than ${maxBytes ?? 4 * 1024 * 1024} bytes`);
      await closed(server.connections[0]);
    },
  );

  test("an error that never ends is read for 64 KiB, and its status is the answer", async () => {
    const server = await endless(503);
    const answer = await nodeTransport()(get(server.origin));
    expect([answer.status, answer.text.length]).toEqual([503, 64 * 1024]);
    await closed(server.connections[0]);
  });

  test("eight long responses at once arrive whole, one after the other", async () => {
    const text = "é".repeat(1024 * 1024);
    const server = await answering((_incoming, response) => response.end(text));
    const send = nodeTransport();
    const order: number[] = [];
    const texts = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const answer = await send(get(server.origin));
        order.push(n);
        return answer.text;
      }),
    );
    expect(texts.every((one) => one === text)).toBe(true);
    expect(order).toHaveLength(8);
  });

  test.each([1, 10_000])("the rows of a list of %i rows keep their characters", async (count) => {
    const row = { name: "é\u{1f4be}\u4e2d", padding: "x".repeat(50) };
    const text = JSON.stringify({ title: "é", snapshots: Array.from({ length: count }, () => row) });
    const server = await answering((_incoming, response) => response.end(text));
    const { rows = [], ...rest } = await nodeTransport()(get(server.origin, { rowsOf: "snapshots" }));
    const list = JSON.parse(rest.text);
    expect(list.title).toBe("é");
    expect([...list.snapshots, ...rows.map((one) => JSON.parse(decodeUtf8(one)))]).toEqual(
      Array.from({ length: count }, () => row),
    );
  });

  test("a long response that is given up lets the next one begin", async () => {
    const server = await answering((incoming, response) => {
      response.write(" ".repeat(300 * 1024));
      if (incoming.url === "/whole") response.end();
    });
    const send = nodeTransport();
    const [given, whole] = await Promise.allSettled([
      send(get(`${server.origin}/stuck`, { timeoutMs: 100 })),
      send(get(`${server.origin}/whole`)),
    ]);
    expect([given.status, whole.status]).toEqual(["rejected", "fulfilled"]);
  });

  test("a header that cannot be sent is refused here, and its value is not repeated", async () => {
    const server = await answering((_incoming, response) => response.end("{}"));
    const failure = await failureOf(get(server.origin, { headers: { "X-Auth-Token": "a secret\ntoken" } }));
    expect(failure).toMatchObject({ sent: false, answered: false });
    expect(failure.message).not.toContain("secret");
    expect(server.seen).toEqual([]);
  });
});

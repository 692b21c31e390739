import { once } from "node:events";
import { expect, test } from "vitest";
import type { Fault } from "../../../../../infra/local/cloud/index.ts";
import { bodyOf, post } from "../../../../support/cloud-client.ts";
import { startTestCloud } from "../../../../support/cloud-environment.ts";

/** Sends a create request for a legacy snapshot. The embedded cloud applies the fault to this request. */
async function createUnder(fault: Fault) {
  const { cloud } = await startTestCloud();
  const handle = cloud.fault({ operation: "evs.createSnapshot" }, fault);
  const sent = post(cloud, "/v2/{p}/cloudsnapshots", { snapshot: { volume_id: cloud.addVolume().id } });
  return { cloud, handle, sent };
}

test("the fault `upgrade` sends 101 and keeps the connection open, either without executing the call or after executing it", async () => {
  for (const after of [false, true]) {
    const { cloud, handle, sent } = await createUnder({ type: "upgrade", after });
    const [response, socket] = await once(sent, "upgrade");
    expect(response.statusCode).toBe(101);
    expect(response.headers).toMatchObject({ connection: "Upgrade", upgrade: "websocket" });
    expect(socket.readableEnded).toBe(false);
    expect(cloud.snapshots()).toHaveLength(after ? 1 : 0);
    expect(cloud.requests[0]).toMatchObject({ status: 101, fault: "upgrade" });
    expect([handle.hits, cloud.count("evs.createSnapshot", 101)]).toEqual([1, 1]);
    socket.destroy();
  }
});

test("the HTTP client of Node.js returns the HTTP status 101 as the final response if the fault `upgrade` omits the Upgrade header", async () => {
  const { cloud, sent } = await createUnder({ type: "upgrade", headers: { connection: "Upgrade" } });
  const [response] = await once(sent, "response");
  expect(response.statusCode).toBe(101);
  expect(cloud.snapshots()).toHaveLength(0);
});

test("the fault `informational` sends 100 Continue and 103 Early Hints before the normal response", async () => {
  const { cloud, sent } = await createUnder({ type: "informational", count: 5 });
  const seen: number[] = [];
  sent.on("information", ({ statusCode }) => seen.push(statusCode));
  const [response] = await once(sent, "response");
  expect(seen).toEqual([100, 103, 100, 103, 100]);
  expect(response.statusCode).toBe(202);
  expect(JSON.parse(await bodyOf(response))).toMatchObject({ snapshot: { id: cloud.snapshots()[0]?.id } });
});

test("the fault `stall` sends the headers and a few bytes of the body, and then no more bytes", async () => {
  for (const after of [false, true]) {
    const { cloud, sent } = await createUnder({ type: "stall", after });
    const [response] = await once(sent, "response");
    expect(response.statusCode).toBe(202);
    expect(Number(response.headers["content-length"])).toBeGreaterThan(50);
    const [chunk] = await once(response, "data");
    expect(String(chunk)).toBe('{"snapsh');
    expect(response.complete).toBe(false);
    expect(cloud.snapshots()).toHaveLength(after ? 1 : 0);
    expect(cloud.requests[0]).toMatchObject({ status: 202, fault: "stall" });
  }
});

test("the fault `drip` sends the normal response byte by byte", async () => {
  const { cloud, sent } = await createUnder({ type: "drip", ms: 1 });
  const [response] = await once(sent, "response");
  let chunks = 0;
  response.on("data", () => {
    chunks += 1;
  });
  expect(JSON.parse(await bodyOf(response))).toMatchObject({ snapshot: { id: cloud.snapshots()[0]?.id } });
  expect(chunks).toBeGreaterThan(10);
});

test("the fault `raw` sends the specified bytes and closes the connection, either without executing the call or after executing it", async () => {
  for (const after of [false, true]) {
    const bytes = Buffer.concat([Buffer.from("HTTP/1.0 299 \r\nx-odd: \xe9\r\n\r\n", "latin1"), Buffer.of(0xff, 0)]);
    const { cloud, sent } = await createUnder({ type: "raw", bytes, after });
    const [response] = await once(sent, "response");
    expect([response.statusCode, response.headers["x-odd"]]).toEqual([299, "\u00e9"]);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(Buffer.of(0xff, 0));
    expect(cloud.snapshots()).toHaveLength(after ? 1 : 0);
    expect(cloud.requests[0]).toMatchObject({ status: undefined, fault: "raw" });
  }
});

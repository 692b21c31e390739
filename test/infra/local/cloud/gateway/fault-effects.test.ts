import { expect, test, vi } from "vitest";
import type { EmbeddedCloud, Fault, FaultHandle } from "../../../../../infra/local/cloud/index.ts";
import {
  START,
  startCloudWithDisk,
  startTestCloud,
  statusAndCode,
  wallClockAt,
} from "../../../../support/cloud-environment.ts";

const CREATE = "/v2/{p}/cloudsnapshots";
const LIST = "/v2/{p}/cloudvolumes/detail";

/** Applies a fault to one create request. Returns the response or the error code, and the number of created snapshots. */
async function injectOnce(fault: Fault) {
  const { cloud, create } = await startCloudWithDisk();
  const handle = cloud.fault({ operation: "evs.createSnapshot", times: 1 }, fault);
  const first = await create().catch((error: Error) => (error.cause as { code?: string }).code ?? error.message);
  expect(handle.hits).toBe(1);
  const created = cloud.snapshots().length;
  expect((await create()).status).toBe(202);
  return { first, created, view: cloud.requests[0] };
}

test("the fault `status` sends an error status, either without executing the call or after executing the call", async () => {
  const before = await injectOnce({ type: "status", status: 500 });
  expect(before.created).toBe(0);
  expect(before.first).toMatchObject({ status: 500, json: { error: { code: "EVS.5500" } } });
  const after = await injectOnce({ type: "status", status: 503, after: true });
  expect(after.created).toBe(1);
  expect(after.first).toMatchObject({ status: 503, json: { error: { code: "EVS.5503" } } });
  expect(after.view?.answer).toMatchObject({ snapshot: { status: "creating" } });
  const gateway = await injectOnce({ type: "status", status: 504 });
  expect(gateway.first).toMatchObject({ status: 504, json: { error_code: "APIGW.0201" } });
  const html = await injectOnce({ type: "status", status: 502, body: "<html></html>" });
  expect(html.first).toMatchObject({ status: 502, text: "<html></html>" });
  const object = await injectOnce({
    type: "status",
    status: 403,
    body: { error: { code: "EVS.2145", message: "suspended" } },
  });
  expect(object.first).toMatchObject({ status: 403, json: { error: { code: "EVS.2145" } } });
});

test("the fault `status` sends a 500 in the error format of the called service", async () => {
  const { cloud, call } = await startTestCloud();
  cloud.fault({}, { type: "status", status: 500 });
  const paths = [
    ["/v1.0/{p}/clusters", "DWS.9999"],
    ["/v1/{p}/cloudservers/detail", "Ecs.0500"],
    [LIST, "EVS.5500"],
  ];
  for (const [path = "", code] of paths) expect(statusAndCode(await call("GET", path))).toEqual([500, code]);
  expect(statusAndCode(await call("POST", "/v2/{p}/fgs/functions/x/invocations-async", {}))).toEqual([500, "FSS.0500"]);
  const topic = "/v2/{p}/lts/groups/g/streams/s/tenant/contents";
  expect(statusAndCode(await call("POST", topic, {}))).toEqual([500, "SVCSTG.ALS.500.500"]);
});

test("the fault `reset` resets the connection, either without executing the call or after executing the call", async () => {
  const before = await injectOnce({ type: "reset", after: false });
  expect([before.created, before.first, before.view?.status]).toEqual([0, "ECONNRESET", undefined]);
  expect(before.view?.fault).toBe("reset");
  const after = await injectOnce({ type: "reset", after: true });
  expect([after.created, after.first]).toEqual([1, "ECONNRESET"]);
});

test("the fault `cut` sends half of the body and closes the connection, either without executing the call or after executing it", async () => {
  const before = await injectOnce({ type: "cut", after: false });
  const after = await injectOnce({ type: "cut", after: true });
  expect([before.created, after.created]).toEqual([0, 1]);
  for (const { first } of [before, after]) expect(first).toMatch(/UND_ERR_SOCKET|ECONNRESET|terminated/);
});

test("the fault `notJson` sends truncated JSON or an HTML page, and the fault `emptyBody` sends an empty body", async () => {
  const torn = await injectOnce({ type: "notJson", after: true });
  expect(torn.created).toBe(1);
  expect(torn.first).toMatchObject({ status: 202, json: undefined, text: expect.stringMatching(/^\{"snapshot"/) });
  const page = await injectOnce({ type: "notJson", after: false, html: true });
  expect(page.created).toBe(0);
  expect(page.first).toMatchObject({ status: 202, text: expect.stringMatching(/^<html>/) });
  const empty = await injectOnce({ type: "emptyBody", after: true });
  expect(empty.created).toBe(1);
  expect(empty.first).toMatchObject({ status: 202, text: "" });
});

/** Sends a create request and closes the connection as soon as the embedded cloud applied the fault. */
async function createAndDisconnect(cloud: EmbeddedCloud, handle: FaultHandle, volume_id: string) {
  const disconnect = new AbortController();
  const call = fetch(`${cloud.url}/v2/${cloud.projectId}/cloudsnapshots`, {
    method: "POST",
    headers: { "x-auth-token": cloud.credentials.token ?? "", "content-type": "application/json" },
    body: JSON.stringify({ snapshot: { volume_id } }),
    signal: disconnect.signal,
  });
  const refused = expect(call).rejects.toThrow("aborted");
  await vi.waitFor(() => expect(handle.hits).toBe(1), { interval: 2 });
  disconnect.abort();
  await refused;
}

test("the fault `hang` sends no response, either without executing the call or after executing the call", async () => {
  for (const after of [false, true]) {
    const { cloud, volume_id } = await startCloudWithDisk();
    const handle = cloud.fault({ operation: "evs.createSnapshot" }, { type: "hang", after });
    await createAndDisconnect(cloud, handle, volume_id);
    expect(cloud.snapshots()).toHaveLength(after ? 1 : 0);
    expect(cloud.requests[0]).toMatchObject({ status: undefined, fault: "hang" });
  }
});

test("the fault `redirect` sends 307 with a Location header and does not execute the call", async () => {
  const { first, created } = await injectOnce({ type: "redirect", location: "http://192.0.2.1/steal" });
  expect(created).toBe(0);
  expect(first).toMatchObject({ status: 307 });
  expect((first as { headers: Headers }).headers.get("location")).toBe("http://192.0.2.1/steal");
});

test("the fault `acknowledge` sends success responses to create and delete calls without executing the calls", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const server = cloud.addServer();
  const volume_id = cloud.addVolume({ serverId: server.id }).id;
  const cluster_id = cloud.addCluster().id;
  const creates: [path: string, body: unknown, status: number, shape: unknown][] = [
    [CREATE, { snapshot: { volume_id, force: true } }, 202, { snapshot: { id: expect.any(String), volume_id } }],
    ["/v5/{p}/snapshots", { snapshot: { volume_id } }, 202, { snapshot_id: expect.any(String) }],
    [
      "/v5/{p}/snapshot-groups",
      { snapshot_group: { server_id: server.id } },
      202,
      { snapshot_group_id: expect.any(String) },
    ],
    ["/v1.0/{p}/snapshots", { snapshot: { cluster_id, name: "name" } }, 200, { snapshot: { id: expect.any(String) } }],
  ];
  const acknowledge = cloud.fault({ method: "POST" }, { type: "acknowledge" });
  for (const [path, body, status, shape] of creates) {
    const response = await call("POST", path, body);
    expect(response).toMatchObject({ status, json: shape });
    const { json } = response;
    const id = json.snapshot?.id ?? json.snapshot_id ?? json.snapshot_group_id;
    expect((await call("GET", `${path}/${id}`)).status).toBeGreaterThanOrEqual(400);
  }
  expect(cloud.snapshots()).toEqual([]);
  expect(statusAndCode(await call("POST", CREATE, { snapshot: { volume_id: "unknown" } }))).toEqual([400, "EVS.1002"]);
  acknowledge.remove();

  for (const [path, body, status, shape] of creates) {
    expect(await call("POST", path, body)).toMatchObject({ status, json: shape });
    clock.advance(60_000);
  }
  cloud.fault({ method: "DELETE" }, { type: "acknowledge" });
  const before = cloud.snapshots();
  for (const { kind, id } of before) {
    const path = { snapshot: CREATE, "cluster-snapshot": "/v1.0/{p}/snapshots" }[kind as string];
    const versionFive = kind === "snapshot-group" ? "/v5/{p}/snapshot-groups" : "/v5/{p}/snapshots";
    expect((await call("DELETE", `${path ?? versionFive}/${id}`)).status).toBe(202);
  }
  clock.advance(60_000);
  expect(cloud.snapshots()).toEqual(before);
});

test("with the fault `acknowledge`, the embedded cloud executes no LTS, invocation or attachment call, and responds with 500 to a snapshot update", async () => {
  const onInvokeAsync = vi.fn();
  const { cloud, call } = await startTestCloud({ onInvokeAsync });
  const [server, volume] = [cloud.addServer(), cloud.addVolume()];
  cloud.fault({}, { type: "acknowledge" });
  const report = { log_time_ns: cloud.clock.now() * 1e6, contents: ["a"], labels: {} };
  expect((await call("POST", "/v2/{p}/lts/groups/g/streams/s/tenant/contents", report)).status).toBe(200);
  const urn = `urn:fss:${cloud.region}:${cloud.projectId}:function:default:f:latest`;
  expect((await call("POST", `/v2/{p}/fgs/functions/${urn}/invocations-async`, {})).status).toBe(202);
  const attach = { volumeAttachment: { volumeId: volume.id } };
  expect((await call("POST", `/v1/{p}/cloudservers/${server.id}/attachvolume`, attach)).status).toBe(200);
  await cloud.idle();
  expect([cloud.logs, cloud.lostLogs, cloud.invocations]).toEqual([[], [], []]);
  expect(onInvokeAsync).not.toHaveBeenCalled();
  expect(cloud.volume(volume.id)).toEqual(volume);

  const complain = vi.spyOn(console, "error").mockImplementation(() => {});
  const { id } = cloud.addSnapshot({ kind: "snapshot", volumeId: volume.id, name: "old" });
  expect((await call("PUT", `${CREATE}/${id}`, { snapshot: { name: "new" } })).status).toBe(500);
  expect(complain).toHaveBeenCalledOnce();
  expect(cloud.snapshots()).toMatchObject([{ name: "old" }]);
  complain.mockRestore();
});

test("the fault `edit` changes the bodies of list, show and create responses", async () => {
  const { cloud, call, create, volume_id } = await startCloudWithDisk();
  const edit = cloud.fault(
    { operation: "evs.createSnapshot" },
    { type: "edit", edit: ({ snapshot }) => ({ snapshot: { ...snapshot, volume_id: "another" }, code: "EVS.5400" }) },
  );
  expect((await create()).json).toMatchObject({ snapshot: { volume_id: "another" }, code: "EVS.5400" });
  const { id } = cloud.snapshots()[0] as { id: string };
  expect(cloud.snapshots()).toMatchObject([{ volume_id }]);
  expect(cloud.requests[0]).toMatchObject({ fault: "edit", answer: { snapshot: { id, volume_id } } });
  edit.remove();

  cloud.fault(
    { operation: "evs.listSnapshots" },
    {
      type: "edit",
      edit: (body) => {
        for (const row of body.snapshots) {
          delete row.created_at;
          row.status = null;
        }
        body.count = "1";
      },
    },
  );
  const list = await call("GET", `${CREATE}/detail`);
  expect(list.json).toMatchObject({ count: "1", snapshots: [{ id, status: null }] });
  expect(list.json.snapshots[0]).not.toHaveProperty("created_at");
  cloud.fault({ operation: "evs.showSnapshot" }, { type: "edit", edit: () => null });
  expect((await call("GET", `${CREATE}/${id}`)).text).toBe("null");
  cloud.fault({ operation: "evs.deleteSnapshot" }, { type: "edit", edit: (body) => body });
  expect(
    await call("DELETE", `${CREATE}/${cloud.addSnapshot({ kind: "snapshot", volumeId: volume_id }).id}`),
  ).toMatchObject({ status: 202, text: "" });
});

test("the fault `throttle` sends 429 with a Retry-After header only to the first request if `times` is 1", async () => {
  const { first, created } = await injectOnce({ type: "throttle", limit: 5, window: "1 minute", retryAfter: 7 });
  expect(created).toBe(0);
  expect(first).toMatchObject({
    status: 429,
    json: {
      error_code: "APIGW.0308",
      error_msg: "The throttling threshold has been reached: policy user over ratelimit,limit:5,time:1 minute",
    },
  });
  expect((first as { headers: Headers }).headers.get("retry-after")).toBe("7");
});

test("the faults `expiredToken` and `clockSkew` send 401 APIGW.0301 although the request is signed correctly", async () => {
  wallClockAt(START);
  const { cloud, create } = await startCloudWithDisk();
  const expired = cloud.fault({ times: 1 }, { type: "expiredToken" });
  expect(statusAndCode(await create())).toEqual([401, "APIGW.0301"]);
  expect(expired.hits).toBe(1);
  cloud.fault({ times: 1 }, { type: "clockSkew", ms: 16 * 60 * 1000 });
  const skewed = await create();
  expect(statusAndCode(skewed)).toEqual([401, "APIGW.0301"]);
  const ahead = Date.parse(skewed.headers.get("date") ?? "") - Date.parse(START);
  expect(ahead).toBeGreaterThan(15 * 60 * 1000);
  cloud.fault({ times: 1 }, { type: "clockSkew", ms: -14 * 60 * 1000 });
  expect((await create()).status).toBe(202);
  expect(cloud.refusedSignatures).toEqual([]);
  expect(cloud.snapshots()).toHaveLength(1);
});

test("the fault `answer` sends the status, headers and body that the test specifies", async () => {
  const { first, created } = await injectOnce({ type: "answer", status: 418, headers: { "x-a": "b" }, body: "{}" });
  expect(created).toBe(0);
  expect(first).toMatchObject({ status: 418, text: "{}" });
  expect((first as { headers: Headers }).headers.get("x-a")).toBe("b");
});

test("the fault `mutatePage` runs a callback after one page, so that the next page repeats a row", async () => {
  const { cloud, call } = await startTestCloud();
  for (let n = 0; n < 4; n += 1) cloud.addVolume({ name: `v${n}`, createdAt: Date.UTC(2026, 0, n + 1) });
  const mutate = () => void cloud.addVolume({ name: "new" });
  cloud.fault({ operation: "evs.listVolumes", nth: 1 }, { type: "mutatePage", mutate });
  const page = async (offset: number) =>
    (await call("GET", `${LIST}?limit=2&offset=${offset}`)).json.volumes.map(({ name }: { name: string }) => name);
  // The new disk is now the first row, so the second page repeats v2, the last row of the first page.
  expect([...(await page(0)), ...(await page(2)), ...(await page(4))]).toEqual(["v3", "v2", "v2", "v1", "v0"]);
});

test("the fault `delay` waits either before or after the service executes the call", async () => {
  const { cloud, call, create } = await startCloudWithDisk();
  const handle = cloud.fault({ operation: "evs.createSnapshot" }, { type: "delay", ms: 20 });
  const started = performance.now();
  expect((await create()).status).toBe(202);
  expect(performance.now() - started).toBeGreaterThanOrEqual(19);
  handle.remove();
  cloud.fault({ operation: "evs.createSnapshot" }, { type: "delay", ms: 20, after: true });
  const slow = create();
  while (cloud.snapshots().length < 2) await call("GET", LIST);
  expect((await slow).status).toBe(202);
  expect(cloud.snapshots()).toHaveLength(2);
});

test("the embedded cloud responds with 500 and prints the error if the callback of a fault throws an error", async () => {
  const { cloud, call } = await startTestCloud();
  const complain = vi.spyOn(console, "error").mockImplementation(() => {});
  const mutate = () => {
    throw new Error("a mistake");
  };
  cloud.fault({}, { type: "mutatePage", mutate });
  expect((await call("GET", LIST)).status).toBe(500);
  expect(complain).toHaveBeenCalledWith(expect.any(String), new Error("a mistake"));
  complain.mockRestore();
});

test("the embedded cloud executes a call even if the caller disconnects before the response arrives", async () => {
  const { cloud, volume_id } = await startCloudWithDisk();
  const handle = cloud.fault({ operation: "evs.createSnapshot" }, { type: "delay", ms: 40 });
  await createAndDisconnect(cloud, handle, volume_id);
  await vi.waitFor(() => expect(cloud.snapshots()).toHaveLength(1), { interval: 5 });
});

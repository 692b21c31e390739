/** Tests `beforeSend` and `createTimeoutMs` of the function that sends requests through the SDK. */
import { describe, expect, test } from "vitest";
import { SnapshotError } from "../../../../shared/core/errors.ts";
import { after, instant } from "../../../../shared/core/instant.ts";
import { createRateLimiter, type RateLimiter } from "../../../../shared/huaweicloud/http/rate-limiter.ts";
import { type Connection, sendOptions } from "../../../../shared/huaweicloud/http/sdk-client.ts";
import type { HttpRequest } from "../../../../shared/huaweicloud/http/transport.ts";
import { createVirtualClock, START, type VirtualTime } from "../../../support/virtual-clock.ts";
import { connectionTo } from "../../../support/wire.ts";

/** Creates a connection with a virtual clock and a transport that accepts every request. `steps` lists what happened when. */
function createConnection(changes: (time: VirtualTime) => Partial<Connection> = () => ({})) {
  const time = createVirtualClock();
  const steps: string[] = [];
  const requests: HttpRequest[] = [];
  const addStep = (step: string) => void steps.push(`${time.seconds()} s ${step}`);
  const limiter: RateLimiter = {
    ...createRateLimiter(time),
    acquire: async () => {
      await time.sleep(2_000);
      addStep("limiter");
    },
  };
  const connection = connectionTo("https://evs.example.com", {
    now: () => time.now(),
    sleep: time.sleep,
    limiter,
    deadline: after(START, 60_000),
    transport: async (request) => {
      addStep("request");
      requests.push(request);
      return { status: 202, headers: {}, text: "{}" };
    },
    ...changes(time),
  });
  /** Sends a request. Returns the response or the error. */
  const send = (operation: "create" | "read", beforeSend?: () => Promise<void>) =>
    sendOptions(connection, "EVS", operation, { method: "POST", url: "/v2/x", data: {} }, { beforeSend }).catch(
      (error) => error,
    );
  return { time, steps, requests, addStep, send };
}

describe("beforeSend", () => {
  test("sendOptions calls beforeSend after the rate limiter, and sends the request after beforeSend has finished", async () => {
    const { time, steps, addStep, send } = createConnection();
    const response = await send("create", async () => {
      addStep("beforeSend starts");
      await time.sleep(3_000);
      addStep("beforeSend ends");
    });
    expect(response).toMatchObject({ status: 202 });
    expect(steps).toEqual(["2 s limiter", "2 s beforeSend starts", "5 s beforeSend ends", "5 s request"]);
  });

  test("sendOptions sends nothing and throws the same error if beforeSend rejects", async () => {
    const { steps, send } = createConnection();
    const error = new SnapshotError("Conflict", "Another delivery created the snapshot.", { requestSent: false });
    expect(await send("create", () => Promise.reject(error))).toBe(error);
    const bug = new TypeError("x is not a function");
    expect(await send("create", () => Promise.reject(bug))).toBe(bug);
    expect(steps).toEqual(["2 s limiter", "4 s limiter"]);
  });

  test("sendOptions sends no create request and throws an error that is not ambiguous if beforeSend ends 1.5 s or less before the deadline", async () => {
    const sendAfter = async (milliseconds: number) => {
      const { time, requests, send } = createConnection();
      return { response: await send("create", () => time.sleep(milliseconds)), requests };
    };
    const late = await sendAfter(56_500);
    expect(late.response).toMatchObject({
      reason: "DeadlineExceeded",
      ambiguous: false,
      requestSent: false,
      message: "POST /v2/x: not sent, because the invocation's time has run out.",
    });
    expect(late.requests).toEqual([]);
    expect((await sendAfter(56_499)).requests).toHaveLength(1);
  });
});

describe("the deadline of a create request", () => {
  test("sendOptions throws an error that is not ambiguous if the deadline passes before beforeSend ends, and sends nothing later", async () => {
    const { time, requests, send } = createConnection();
    const error = await send("create", () => time.sleep(70_000));
    expect(error).toMatchObject({ reason: "DeadlineExceeded", ambiguous: false, requestSent: false });
    expect(time.seconds()).toBe(60.05);
    await time.sleep(30_000);
    expect(requests).toEqual([]);
  });

  test("sendOptions throws an ambiguous error if the deadline passes after a create request was sent, but not after a read request", async () => {
    for (const [operation, ambiguous] of [
      ["create", true],
      ["read", false],
    ] as const) {
      const { send } = createConnection(() => ({ transport: () => new Promise(() => {}) }));
      expect(await send(operation)).toMatchObject({ reason: "DeadlineExceeded", ambiguous, requestSent: true });
    }
  });
});

describe("createTimeoutMs", () => {
  test.each<[changes: Partial<Connection>, create: number, read: number]>([
    [{ timeoutMs: 10_000 }, 10_000, 10_000],
    [{ timeoutMs: 10_000, createTimeoutMs: 30_000 }, 30_000, 10_000],
    // The rate limiter takes 2 s, and a create request must end 1.5 s before the deadline.
    [{ timeoutMs: 10_000, createTimeoutMs: 30_000, deadline: instant(START + 25_000) }, 21_500, 10_000],
  ])(
    "sendOptions with %o limits a create request to %d ms and a read request to %d ms",
    async (changes, createMs, readMs) => {
      const { requests, send } = createConnection(() => changes);
      await send("create");
      await send("read");
      expect(requests.map(({ timeoutMs }) => timeoutMs)).toEqual([createMs, readMs]);
    },
  );
});

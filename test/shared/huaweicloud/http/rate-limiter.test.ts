import { describe, expect, test } from "vitest";
import { createThrottle, throttleMessage } from "../../../../infra/local/cloud/gateway/throttle.ts";
import { SnapshotError } from "../../../../shared/core/errors.ts";
import { instant } from "../../../../shared/core/instant.ts";
import { delayBefore } from "../../../../shared/core/retry.ts";
import { createRateLimiter } from "../../../../shared/huaweicloud/http/rate-limiter.ts";
import { reportLogs } from "../../../../shared/huaweicloud/lts.ts";
import { createRandom } from "../../../support/random.ts";
import { connectionTo, startHttpServer } from "../../../support/wire.ts";

const LATENCY_MS = 30;
const WORKERS = 8;

interface Fleet {
  processes: number;
  callsEach: number;
  perSecond: number;
  /** True if each process knows the number of processes. */
  shared?: boolean;
  /** How many calls per second another program sends. */
  others?: number;
}

/** Waits until all promise callbacks have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Creates a clock that jumps to the end of the earliest sleep. */
function createClock() {
  let now = instant(0);
  const timers: { at: number; work: () => void }[] = [];
  return {
    now: () => now,
    sleep: (milliseconds: number) =>
      new Promise<void>((work) => {
        const at = now + milliseconds;
        const place = timers.findIndex((timer) => timer.at > at);
        timers.splice(place < 0 ? timers.length : place, 0, { at, work });
      }),
    async run() {
      await settled();
      for (let timer = timers.shift(); timer !== undefined; timer = timers.shift()) {
        now = instant(Math.max(now, timer.at));
        timer.work();
        await settled();
      }
    },
  };
}

/** Sends calls from several processes to the embedded cloud. Returns their duration and the minimum duration under the limit. */
async function runFleet({ processes, callsEach, perSecond, shared = true, others = 0 }: Fleet) {
  const time = createClock();
  const random = createRandom(1);
  const throttle = createThrottle({ perSecond }, time);
  const total = processes * callsEach;
  const result = { accepted: 0, rejected: 0, seconds: 0, minSeconds: (total - perSecond) / (perSecond - others) };

  const process = () => {
    const limiter = createRateLimiter(time);
    if (shared) limiter.share(processes);
    let left = callsEach;
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        for (let tries = 1; ; tries += 1) {
          await limiter.acquire("POST", instant(Number.MAX_SAFE_INTEGER));
          await time.sleep(LATENCY_MS / 2);
          const limit = throttle();
          await time.sleep(LATENCY_MS / 2);
          if (limit === undefined) break;
          result.rejected += 1;
          limiter.onThrottled("POST", throttleMessage(limit));
          const error = new SnapshotError("Throttled", "", { retryAfterMs: 1_000 });
          await time.sleep(delayBefore(error, tries, random) ?? 0);
        }
        limiter.onSuccess("POST");
        result.accepted += 1;
        result.seconds = time.now() / 1000;
      }
    };
    for (let number = 0; number < WORKERS; number += 1) void worker();
  };
  for (let number = 0; number < processes; number += 1) process();
  const otherProgram = async () => {
    for (; result.accepted < total; throttle()) await time.sleep(1000 / others);
  };
  if (others > 0) void otherProgram();
  await time.run();
  return result;
}

describe("10,000 calls at a limit of 50 per second", () => {
  test.each([
    [105, "one process", { processes: 1, callsEach: 10_000 }],
    // A group leaves a tenth of the limit to its list requests.
    [115, "20 processes that share the limit", { processes: 20, callsEach: 500 }],
    [115, "20 processes while another program uses 1 % of the limit", { processes: 20, callsEach: 500, others: 0.5 }],
  ])(
    "the rate limiter needs at most %i percent of the minimum time and gets a 429 for at most 1 percent of 10,000 calls of %s",
    async (maxPercent, _who, fleet) => {
      const { accepted, rejected, seconds, minSeconds } = await runFleet({ perSecond: 50, ...fleet });
      expect(accepted).toBe(10_000);
      expect(rejected).toBeLessThanOrEqual(100);
      expect(seconds).toBeLessThanOrEqual(minSeconds * (maxPercent / 100));
    },
  );

  test.each([
    ["two processes that do not count each other's calls", { processes: 2, callsEach: 5_000, shared: false }],
    ["one process while another program uses half of the limit", { processes: 1, callsEach: 10_000, others: 25 }],
  ])("the rate limiter slows down %s, so the service rejects at most 1 percent of the calls", async (_who, fleet) => {
    const { accepted, rejected, seconds, minSeconds } = await runFleet({ perSecond: 50, ...fleet });
    expect(accepted).toBe(10_000);
    expect(rejected).toBeLessThanOrEqual(100);
    expect(seconds).toBeLessThanOrEqual(minSeconds * 1.15);
  });
});

describe("the rate limiter of a single process", () => {
  const LATE = instant(60_000);

  /** Returns how many milliseconds each of `calls` concurrent calls waits. */
  async function measureWaits(
    limiter: ReturnType<typeof createRateLimiter>,
    time: ReturnType<typeof createClock>,
    calls: number,
  ) {
    const startedAt = time.now();
    const waited: number[] = [];
    for (let call = 0; call < calls; call += 1) {
      void limiter.acquire("POST", LATE).then(() => waited.push(time.now() - startedAt));
    }
    await time.run();
    return waited;
  }

  test("the rate limiter does not delay POST calls before the first 429, or after a 429 for a GET call", async () => {
    const time = createClock();
    const limiter = createRateLimiter(time);
    expect(await measureWaits(limiter, time, 3)).toEqual([0, 0, 0]);
    limiter.onThrottled("GET", "limit:1,time:1 minute");
    expect(await measureWaits(limiter, time, 3)).toEqual([0, 0, 0]);
  });

  test("the rate limiter uses 99 % of the limit that a 429 names, or of 10 calls per second if the 429 names no limit", async () => {
    const time = createClock();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "over ratelimit,limit:49,time:1 minute");
    expect(await measureWaits(limiter, time, 3)).toEqual([0, 1_236, 2_473]);
    const other = createRateLimiter(time);
    other.onThrottled("POST", undefined);
    expect(await measureWaits(other, time, 3)).toEqual([0, 101, 202]);
  });

  test("the rate limiter delays a call at most until the deadline of the call", async () => {
    const time = createClock();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "over ratelimit,limit:1,time:1 minute");
    expect(await measureWaits(limiter, time, 4)).toEqual([0, 60_000, 60_000, 60_000]);
  });

  test("the rate limiter reduces its rate after a second 429, even for calls that are already waiting", async () => {
    const time = createClock();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "limit:10,time:1 second");
    void time.sleep(1_500).then(() => limiter.onThrottled("POST", undefined));
    const waited = await measureWaits(limiter, time, 30);
    expect(waited.filter((wait) => wait <= 1_500)).toHaveLength(15);
    // The second 429 reduces the rate of 9.8 calls per second by a quarter.
    expect((waited.at(-1) ?? 0) - 1_500).toBeGreaterThan(14 * 130);
  });

  test("the rate limiter allows a burst of 25 calls after 10 s without calls if the limit is 50 calls per second", async () => {
    const time = createClock();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "limit:50,time:1 second");
    void time.sleep(10_000);
    await time.run();
    const waited = await measureWaits(limiter, time, 100);
    expect(waited.filter((wait) => wait === 0)).toHaveLength(25);
  });
});

test("a process in a group of 20 sends at its full rate again within 20 accepted calls after a 429", async () => {
  const time = createClock();
  const limiter = createRateLimiter(time);
  limiter.share(20, { POST: 50 });
  void time.sleep(2_000);
  await time.run();
  limiter.onThrottled("POST", undefined);
  for (let call = 0; call < 20; call += 1) limiter.onSuccess("POST");
  const startedAt = time.now();
  const waits: number[] = [];
  for (let call = 0; call < 3; call += 1) {
    void limiter.acquire("POST", instant(600_000)).then(() => waits.push(time.now() - startedAt));
  }
  await time.run();
  // The share is 2.25 calls per second: 90 % of 50, divided by 20.
  expect(waits).toEqual([0, 444, 888]);
});

test("the rate limiter does not delay requests to the logging topic", async () => {
  const server = await startHttpServer((_incoming, response) => response.end('{"errorCode":"SVCSTG.ALS.200.200"}'));
  const waits: number[] = [];
  const sleep = async (milliseconds: number) => void waits.push(milliseconds);
  const limiter = createRateLimiter({ now: () => instant(0), sleep });
  limiter.share(1_000);
  const connection = connectionTo(server.origin, { limiter });
  for (let reports = 0; reports < 3; reports += 1) {
    await reportLogs(connection, { logGroupId: "group", logStreamId: "stream" }, ["a record"]);
  }
  expect(waits).toEqual([]);
  expect(server.received).toHaveLength(3);
});

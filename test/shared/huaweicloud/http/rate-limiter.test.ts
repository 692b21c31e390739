import { describe, expect, test } from "vitest";
import { createThrottle, throttleMessage } from "../../../../infra/local/cloud/gateway/throttle.ts";
import { SnapshotError } from "../../../../shared/core/errors.ts";
import { instant } from "../../../../shared/core/instant.ts";
import { delayBefore } from "../../../../shared/core/retry.ts";
import { createRateLimiter } from "../../../../shared/huaweicloud/http/rate-limiter.ts";
import { reportLogs } from "../../../../shared/huaweicloud/lts.ts";
import { createRandom } from "../../../support/random.ts";
import { answering, connectionTo } from "../../../support/wire.ts";

const LATENCY_MS = 30;
const WORKERS = 8;

interface Fleet {
  processes: number;
  callsEach: number;
  perSecond: number;
  /** That each knows of the others. */
  shared?: boolean;
  /** Calls a second of somebody else, whom nobody knows of. */
  others?: number;
}

/** Whatever follows from what was done has been done. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A time that is only counted. */
function makeTime() {
  let now = instant(0);
  const agenda: { at: number; work: () => void }[] = [];
  return {
    now: () => now,
    sleep: (milliseconds: number) =>
      new Promise<void>((work) => {
        const at = now + milliseconds;
        const place = agenda.findIndex((one) => one.at > at);
        agenda.splice(place < 0 ? agenda.length : place, 0, { at, work });
      }),
    async run() {
      await settled();
      for (let one = agenda.shift(); one !== undefined; one = agenda.shift()) {
        now = instant(Math.max(now, one.at));
        one.work();
        await settled();
      }
    },
  };
}

/** Processes that send their calls through the embedded cloud's rate limit. */
async function drive({ processes, callsEach, perSecond, shared = true, others = 0 }: Fleet) {
  const time = makeTime();
  const random = createRandom(1);
  const throttle = createThrottle({ perSecond }, time);
  const wanted = processes * callsEach;
  const result = { taken: 0, refused: 0, seconds: 0, least: (wanted - perSecond) / (perSecond - others) };

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
          result.refused += 1;
          limiter.onThrottled("POST", throttleMessage(limit));
          const error = new SnapshotError("Throttled", "", { retryAfterMs: 1_000 });
          await time.sleep(delayBefore(error, tries, random) ?? 0);
        }
        limiter.onSuccess("POST");
        result.taken += 1;
        result.seconds = time.now() / 1000;
      }
    };
    for (let number = 0; number < WORKERS; number += 1) void worker();
  };
  for (let number = 0; number < processes; number += 1) process();
  const somebodyElse = async () => {
    for (; result.taken < wanted; throttle()) await time.sleep(1000 / others);
  };
  if (others > 0) void somebodyElse();
  await time.run();
  return result;
}

describe("10,000 calls at a limit of 50 a second", () => {
  test.each([
    ["one process", { processes: 1, callsEach: 10_000 }],
    ["20 processes that know of each other", { processes: 20, callsEach: 500 }],
    ["20 processes beside a program that takes 1 % of the limit", { processes: 20, callsEach: 500, others: 0.5 }],
  ])("%s: at most 1 in 100 is refused, and it takes 5 in 100 more than it must", async (_who, fleet) => {
    const { taken, refused, seconds, least } = await drive({ perSecond: 50, ...fleet });
    expect(taken).toBe(10_000);
    expect(refused).toBeLessThanOrEqual(100);
    expect(seconds).toBeLessThanOrEqual(least * 1.05);
  });

  test.each([
    ["two processes that do not know of each other", { processes: 2, callsEach: 5_000, shared: false }],
    ["a process beside a program that takes half of the limit", { processes: 1, callsEach: 10_000, others: 25 }],
  ])("%s: it slows down until they fit", async (_who, fleet) => {
    const { taken, refused, seconds, least } = await drive({ perSecond: 50, ...fleet });
    expect(taken).toBe(10_000);
    expect(refused).toBeLessThanOrEqual(100);
    expect(seconds).toBeLessThanOrEqual(least * 1.15);
  });
});

describe("a process that is alone", () => {
  const LATE = instant(60_000);

  /** How long each of so many turns, taken at once, is waited for. */
  async function waits(
    limiter: ReturnType<typeof createRateLimiter>,
    time: ReturnType<typeof makeTime>,
    turns: number,
  ) {
    const begun = time.now();
    const waited: number[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      void limiter.acquire("POST", LATE).then(() => waited.push(time.now() - begun));
    }
    await time.run();
    return waited;
  }

  test("holds nothing back before it was refused, and other APIs not after it", async () => {
    const time = makeTime();
    const limiter = createRateLimiter(time);
    expect(await waits(limiter, time, 3)).toEqual([0, 0, 0]);
    limiter.onThrottled("GET", "limit:1,time:1 minute");
    expect(await waits(limiter, time, 3)).toEqual([0, 0, 0]);
  });

  test("then keeps to what the refusal says, and to 10 a second where it says nothing", async () => {
    const time = makeTime();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "over ratelimit,limit:49,time:1 minute");
    // 98 % of the limit.
    expect(await waits(limiter, time, 3)).toEqual([0, 1_249, 2_498]);
    const other = createRateLimiter(time);
    other.onThrottled("POST", undefined);
    expect(await waits(other, time, 3)).toEqual([0, 102, 204]);
  });

  test("waits no longer than it may", async () => {
    const time = makeTime();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "over ratelimit,limit:1,time:1 minute");
    expect(await waits(limiter, time, 4)).toEqual([0, 60_000, 60_000, 60_000]);
  });

  test("who waits for a turn when it has to slow down, waits anew", async () => {
    const time = makeTime();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "limit:10,time:1 second");
    void time.sleep(1_500).then(() => limiter.onThrottled("POST", undefined));
    const waited = await waits(limiter, time, 30);
    expect(waited.filter((wait) => wait <= 1_500)).toHaveLength(15);
    // 9.8 calls a second, less a quarter.
    expect((waited.at(-1) ?? 0) - 1_500).toBeGreaterThan(14 * 130);
  });

  test("catches up what it missed for a moment, not for longer", async () => {
    const time = makeTime();
    const limiter = createRateLimiter(time);
    limiter.onThrottled("POST", "limit:50,time:1 second");
    void time.sleep(10_000);
    await time.run();
    const waited = await waits(limiter, time, 100);
    expect(waited.filter((wait) => wait === 0)).toHaveLength(25);
  });
});

test("reports to the logging topic do not wait for the pace of the other calls, however many processes share it", async () => {
  const server = await answering((_incoming, response) => response.end('{"errorCode":"SVCSTG.ALS.200.200"}'));
  const waits: number[] = [];
  const sleep = async (milliseconds: number) => void waits.push(milliseconds);
  const limiter = createRateLimiter({ now: () => instant(0), sleep });
  limiter.share(1_000);
  const connection = connectionTo(server.origin, { limiter });
  for (let reports = 0; reports < 3; reports += 1) {
    await reportLogs(connection, { logGroupId: "group", logStreamId: "stream" }, ["a record"]);
  }
  expect(waits).toEqual([]);
  expect(server.seen).toHaveLength(3);
});

/**
 * Compares `npm run simulate` with the functions over 60 days: what simulate shows is what the functions' own code leaves at the
 * end of every day. `SIMULATE_AGREEMENT=all` compares 300 policies in memory and 20 policies over HTTP instead of a part of them.
 */
import { expect, test } from "vitest";
import { pruneSnapshots } from "../../../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../../../functions/scheduled-snapshots/handler.ts";
import {
  DEFAULT_PRUNE_EVERY,
  readPruneEvery,
  type SimulationPlan,
  simulate,
} from "../../../../infra/local/simulate/simulate.ts";
import { after, type Instant, instant, parseInstant } from "../../../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../../../shared/core/time-zone.ts";
import { createAll } from "../../../../shared/snapshots/create/create-all.ts";
import { deriveKey } from "../../../../shared/snapshots/marker.ts";
import { createTarget, type Retention } from "../../../../shared/snapshots/policy.ts";
import { prune } from "../../../../shared/snapshots/retention/prune.ts";
import {
  changeSnapshots,
  createFixture,
  HOUR_MS,
  MINUTE_MS,
  START,
  STATUS,
  standard,
} from "../../../support/domain.ts";
import { createTestEnvironment, timerEvent } from "../../../support/environment.ts";
import { createRandom } from "../../../support/random.ts";

const isWhole = process.env.SIMULATE_AGREEMENT === "all";
const DAYS = 60;
const TIMEOUT_MS = 1_200_000;

/** What the functions do with one disk. Each operation has finished when its promise resolves. */
interface Subject {
  advanceTo(time: number): Promise<void>;
  create(): Promise<void>;
  prune(): Promise<void>;
  /** Returns the creation times of the existing snapshots. */
  createdAt(): Instant[];
}

interface Case {
  policy: { policy: string; time_zone: string; retention: Retention };
  plan: SimulationPlan & { pruneEvery: string };
}

const PRUNE_SCHEDULES = [
  DEFAULT_PRUNE_EVERY,
  "0 30 4 * * *",
  "0 0 9 * * 0",
  "0 15 */6 * * *",
  "0 45 23 1,15 * *",
  "0 30 2 * * MON-FRI",
  "24h",
  "7h",
  "3d",
];
const ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York", "Pacific/Auckland", "America/Santiago"];

/** Returns a random policy with a retention, and a plan with a prune schedule. A seed always returns the same case. */
function randomCase(seed: number): Case {
  const random = createRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const rules = ["keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"] as const;
  const retention: Retention = { [pick(rules)]: 1 + Math.floor(random() * 6) };
  for (const rule of rules) if (random() < 0.3) retention[rule] ??= Math.floor(random() * 7);
  if (random() < 0.3) retention.min_keep = 1 + Math.floor(random() * 4);
  return {
    policy: { policy: "nightly", time_zone: pick(ZONES), retention },
    plan: {
      from: START,
      days: DAYS,
      everyHours: pick([3, 6, 8, 12, 24, 24, 24, 36, 168]),
      pruneEvery: pick(PRUNE_SCHEDULES),
    },
  };
}

/** Runs the functions at the times of the plan, and compares what they leave with the simulation at the end of every day. */
async function expectAgreement({ policy, plan }: Case, subject: Subject): Promise<void> {
  const toWallTime = createWallTimeConverter(policy.time_zone);
  const dayOf = (time: number) => new Date(toWallTime(instant(time))).toISOString().slice(0, 10);
  const nextPrune = readPruneEvery(plan, policy.time_zone);
  if (nextPrune === undefined) throw new Error(`${plan.pruneEvery} is not a schedule`);
  let nextCreate = plan.from;
  let pruneTime = nextPrune(plan.from - 1);
  for (const { day, retained } of simulate(policy, plan)) {
    for (let time = Math.min(nextCreate, pruneTime); dayOf(time) === day; time = Math.min(nextCreate, pruneTime)) {
      await subject.advanceTo(time);
      if (time === nextCreate) {
        await subject.create();
        nextCreate += plan.everyHours * HOUR_MS;
      } else {
        await subject.prune();
        pruneTime = nextPrune(time);
      }
    }
    const left = subject.createdAt().sort((a, b) => a - b);
    expect(left.map(dayOf), `${day} ${JSON.stringify({ policy, plan })}`).toEqual(retained.map((one) => one.day));
  }
}

/** Runs the use cases on the in-memory cloud. */
function inMemory({ policy }: Case): Subject {
  const { time, cloud, runContext } = createFixture();
  const context = () => ({ ...runContext, retryBudget: { time, deadline: after(time.now(), 15 * MINUTE_MS) } });
  return {
    advanceTo: (moment) => time.sleep(Math.max(0, moment - time.now())),
    async create() {
      const idempotencyKey = deriveKey("schedule", policy.policy, String(Math.floor(time.now() / 1000)));
      const run = {
        idempotencyKey,
        policy: policy.policy,
        label: policy.policy,
        time: time.now(),
        projectId: "project",
      };
      const cutoff = after(time.now(), 10 * MINUTE_MS);
      await createAll([createTarget(standard, "disk-1")], run, context(), { cutoff });
      changeSnapshots(cloud, standard, (found) => ({ ...found, ...STATUS.available }));
    },
    async prune() {
      await prune(policy, context());
    },
    createdAt: () => cloud.snapshotsOf(standard).map(({ created }) => created as Instant),
  };
}

/** Invokes the functions, which call the embedded cloud over HTTP. */
async function overHttp({ policy }: Case): Promise<Subject> {
  const { cloud, clock, invoke } = await createTestEnvironment({ keepRequests: false, timeoutSeconds: 900 });
  const targets = [{ kind: "standard-snapshot", volume_ids: [cloud.addVolume().id] }];
  const event = () => timerEvent({ ...policy, targets }, new Date(clock.now()).toISOString());
  return {
    async advanceTo(moment) {
      if (moment > clock.now()) clock.set(moment);
    },
    async create() {
      const { error } = await invoke(scheduledSnapshots, event());
      expect(error).toBeUndefined();
      // The embedded cloud needs some seconds to create or delete a snapshot.
      clock.advance(MINUTE_MS);
    },
    async prune() {
      const { error } = await invoke(pruneSnapshots, event());
      expect(error).toBeUndefined();
      clock.advance(MINUTE_MS);
    },
    createdAt: () => cloud.snapshots("standard-snapshot").map(({ created_at }) => parseInstant(created_at) as Instant),
  };
}

test(
  "simulate shows for random policies what createAll and prune leave in memory at the end of each of 60 days",
  async () => {
    for (let seed = 1; seed <= (isWhole ? 300 : 15); seed += 1) {
      const one = randomCase(seed);
      await expectAgreement(one, inMemory(one));
    }
  },
  TIMEOUT_MS,
);

test(
  "simulate shows for random policies what the functions leave over HTTP at the end of each of 60 days",
  async () => {
    for (let seed = 1001; seed <= (isWhole ? 1020 : 1001); seed += 1) {
      const one = randomCase(seed);
      await expectAgreement(one, await overHttp(one));
    }
  },
  TIMEOUT_MS,
);

/**
 * Compares `npm run simulate` with the functions: what simulate shows is what the functions' own code leaves at the
 * end of every day. `SIMULATE_AGREEMENT=all` compares 300 policies in memory and 20 policies over HTTP instead of a part of them, and
 * each sample policy for four times as many days.
 */
import { expect, test } from "vitest";
import { pruneSnapshots } from "../../../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../../../functions/scheduled-snapshots/handler.ts";
import type { SimulatedPolicy } from "../../../../infra/local/simulate/kinds.ts";
import {
  type Capacity,
  DEFAULT_PRUNE_EVERY,
  readPruneEvery,
  type SimulationPlan,
  simulate,
} from "../../../../infra/local/simulate/simulate.ts";
import { after, type Instant, instant, parseInstant } from "../../../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../../../shared/core/time-zone.ts";
import { createAll } from "../../../../shared/snapshots/create/create-all.ts";
import { KINDS } from "../../../../shared/snapshots/kinds/kinds.generated.ts";
import { deriveKey } from "../../../../shared/snapshots/marker.ts";
import { createTarget, type Retention, type Selector } from "../../../../shared/snapshots/policy.ts";
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
import { SAMPLES } from "./samples.ts";

const isWhole = process.env.SIMULATE_AGREEMENT === "all";
const DAYS = 60;
const TIMEOUT_MS = 1_200_000;

/** What the functions do with one resource. Each operation has finished when its promise resolves. */
interface Subject {
  advanceTo(time: number): Promise<void>;
  /** Returns false if the create request failed with QuotaExceeded. */
  create(): Promise<boolean>;
  prune(): Promise<void>;
  /** Returns the creation times of the existing snapshots. */
  createdAt(): Instant[];
}

interface Case {
  policy: SimulatedPolicy;
  plan: SimulationPlan & { pruneEvery: string };
  /** How many snapshots the resource can have. Default: no maximum. */
  capacity?: Capacity;
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
async function expectAgreement({ policy, plan, capacity }: Case, subject: Subject): Promise<void> {
  const toWallTime = createWallTimeConverter(policy.time_zone ?? "UTC");
  const dayOf = (time: number) => new Date(toWallTime(instant(time))).toISOString().slice(0, 10);
  const nextPrune = readPruneEvery(plan, policy.time_zone);
  if (nextPrune === undefined) throw new Error(`${plan.pruneEvery} is not a schedule`);
  let nextCreate = plan.from;
  let pruneTime = nextPrune(plan.from - 1);
  for (const { day, retained, failed } of simulate(policy, plan, capacity)) {
    let failures = 0;
    for (let time = Math.min(nextCreate, pruneTime); dayOf(time) === day; time = Math.min(nextCreate, pruneTime)) {
      await subject.advanceTo(time);
      if (time === nextCreate) {
        if (!(await subject.create())) failures += 1;
        nextCreate += plan.everyHours * HOUR_MS;
      } else {
        await subject.prune();
        pruneTime = nextPrune(time);
      }
    }
    const left = subject.createdAt().sort((a, b) => a - b);
    expect(left.map(dayOf), `${day} ${JSON.stringify({ policy, plan })}`).toEqual(retained.map((one) => one.day));
    expect(failures, `failed create requests on ${day} ${policy.policy}`).toBe(failed);
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
      return true;
    },
    async prune() {
      await prune(policy, context());
    },
    createdAt: () => cloud.snapshotsOf(standard).map(({ created }) => created as Instant),
  };
}

const DEFAULT_TARGETS: Selector[] = [{ kind: "standard-snapshot" }];

/** Invokes the functions, which call the embedded cloud over HTTP. Creates snapshots of the first target of the policy. */
async function overHttp({ policy }: Case): Promise<Subject> {
  const { cloud, clock, invoke } = await createTestEnvironment({ keepRequests: false, timeoutSeconds: 900 });
  const [{ kind, tags, exclude_tags: _, ...options }] = (policy.targets ?? DEFAULT_TARGETS) as [Selector];
  const serverId = cloud.addServer({ tags }).id;
  const ids: Record<string, string> = {
    volume_ids: cloud.addVolume({ serverId, volumeType: "SSD" }).id,
    server_ids: serverId,
    cluster_ids: cloud.addCluster().id,
  };
  const { idsField } = KINDS[kind].target;
  const targets = [{ kind, ...options, [idsField]: [ids[idsField]] }];
  const eventWith = (changes: object) => timerEvent({ ...policy, ...changes }, new Date(clock.now()).toISOString());
  return {
    async advanceTo(moment) {
      if (moment > clock.now()) clock.set(moment);
    },
    async create() {
      const { error, records } = await invoke(scheduledSnapshots, eventWith({ targets }));
      // The embedded cloud needs some seconds to create or delete a snapshot.
      clock.advance(MINUTE_MS);
      if (error === undefined) return true;
      expect(records.map((record) => record.error?.reason)).toContain("QuotaExceeded");
      return false;
    },
    async prune() {
      const { error } = await invoke(pruneSnapshots, eventWith({}));
      expect(error).toBeUndefined();
      clock.advance(MINUTE_MS);
    },
    createdAt: () =>
      cloud.snapshots(kind).map((snapshot) => {
        const { created_at, started } = snapshot as { created_at?: string; started?: string };
        return parseInstant(created_at ?? started) as Instant;
      }),
  };
}

test(
  "for random policies, simulate shows the snapshots that createAll and prune leave in the in-memory cloud at the end of each of 60 days",
  async () => {
    for (let seed = 1; seed <= (isWhole ? 300 : 15); seed += 1) {
      const one = randomCase(seed);
      await expectAgreement(one, inMemory(one));
    }
  },
  TIMEOUT_MS,
);

test(
  "for random policies, simulate shows the snapshots that the functions leave in the embedded cloud at the end of each of 60 days",
  async () => {
    for (let seed = 1001; seed <= (isWhole ? 1020 : 1001); seed += 1) {
      const one = randomCase(seed);
      await expectAgreement(one, await overHttp(one));
    }
  },
  TIMEOUT_MS,
);

test.each(SAMPLES)(
  "for the sample $file, simulate shows how many create requests fail and which snapshots the functions leave in the embedded cloud every day",
  async ({ policy, everyHours, pruneEvery, agreementDays, capacity }) => {
    const days = isWhole ? 4 * agreementDays : agreementDays;
    const one = { policy, plan: { from: START, days, everyHours, pruneEvery }, capacity };
    await expectAgreement(one, await overHttp(one));
  },
  TIMEOUT_MS,
);

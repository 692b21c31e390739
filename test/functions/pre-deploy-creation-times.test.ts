/** Tests `pre-deploy` when the creation time of a snapshot is missing, invalid or implausible. */

import { describe, expect, test } from "vitest";
import { DAY_MS, KINDS, MINUTE_MS } from "../support/common.ts";
import {
  createFixture,
  firstSnapshot,
  listFieldOf,
  outcomesOf,
  type RowChange,
  removeFields,
} from "../support/deployments.ts";
import { errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import type { Kind } from "../support/kinds.ts";

useFixedDate();

const timeOf = (kind: Kind) => (kind === "cluster-snapshot" ? "started" : "created_at");

describe.each(KINDS)("the creation time of a %s", (kind) => {
  const absent = removeFields(timeOf(kind));
  const dated =
    (time: unknown): RowChange =>
    (row) => ({ ...row, [timeOf(kind)]: time });

  test.each<[what: string, change: RowChange]>([
    ["is absent", absent],
    ["is null", dated(null)],
    ["is a number", dated(1_795_226_400_000)],
    ["is not a date", dated("recently")],
    ["is a day that does not exist", dated("2026-02-30T00:00:00")],
    ["is in the year 1", dated("0001-01-01T00:00:00Z")],
    ["is in 1970", dated("1970-01-01T00:00:00.000000")],
    ["is before 2015", dated("2014-12-31T23:59:59Z")],
    ["is two years in the future", dated("2029-11-21T02:00:00Z")],
  ])(
    `pre-deploy responds 409 if a deployment_id is reused after 400 days and the creation time of its ${kind} %s`,
    async (_what, change) => {
      const { cloud, clock, changeRows, post, addResource } = await createFixture();
      const { targets } = addResource(kind);
      expect((await post({ targets })).status).toBe(202);
      clock.advance(400 * DAY_MS);
      changeRows(listFieldOf(kind), change);
      for (const more of [{}, { max_age_minutes: 1e9 }, { wait_seconds: 50 }, { retry_failed: true }]) {
        const refused = await post({ targets, ...more });
        expect(refused.status).toBe(409);
        expect(errorOf(refused)).toMatchObject({ reason: "Conflict", code: "Conflict" });
        expect(errorOf(refused).message).toContain(firstSnapshot(cloud, kind).id);
        expect(errorOf(refused).message).toContain("Use a new deployment_id");
        expect(errorOf(refused).message).not.toContain("raise max_age_minutes");
        expect(outcomes(refused)).toEqual(["create failed", "run failed"]);
      }
      expect(cloud.count(/\.create/)).toBe(1);
      expect((await post({ targets, deployment_id: "release-8" })).status).toBe(202);
    },
  );

  test(`pre-deploy accepts a ${kind} whose creation time is 10 minutes in the future, and responds 409 if the time is 16 minutes in the future`, async () => {
    const { clock, changeRows, post, addResource } = await createFixture();
    const { targets } = addResource(kind);
    await post({ targets });
    clock.advance(MINUTE_MS);
    const ahead = (minutes: number) => new Date(clock.now() + minutes * MINUTE_MS).toISOString().slice(0, 19);
    changeRows(listFieldOf(kind), dated(`${ahead(16)}Z`));
    expect((await post({ targets })).status).toBe(409);
    changeRows(listFieldOf(kind), dated(`${ahead(10)}Z`));
    expect((await post({ targets })).status).toBe(200);
  });

  test(`pre-deploy accepts a ${kind} without a creation time in the call that creates the ${kind}, and responds 409 in the next call`, async () => {
    const { cloud, changeRows, post, addResource } = await createFixture();
    const { targets } = addResource(kind);
    changeRows(listFieldOf(kind), absent);
    const ready = await post({ targets, wait_seconds: 50 });
    expect(ready.status).toBe(200);
    expect(outcomesOf(ready)).toEqual(["available"]);
    const refused = await post({ targets });
    expect(refused.status).toBe(409);
    expect(errorOf(refused).message).toContain("wait_seconds");
    expect(cloud.count(/\.create/)).toBe(1);
  });

  test(`pre-deploy responds 202 while a ${kind} is being created and has no creation time, and 200 when the ${kind} is available and has a creation time`, async () => {
    const { clock, changeRows, post, addResource } = await createFixture();
    const { targets } = addResource(kind);
    await post({ targets });
    changeRows(listFieldOf(kind), absent);
    clock.advance(1_000);
    const pending = await post({ targets });
    expect(pending.status).toBe(202);
    expect(outcomesOf(pending)).toEqual(["existing"]);
    clock.advance(MINUTE_MS);
    changeRows(listFieldOf(kind), (row) => row);
    expect((await post({ targets })).status).toBe(200);
  });

  test(`pre-deploy responds 409 if a ${kind} from an earlier call becomes available but has no creation time`, async () => {
    const { clock, changeRows, post, addResource } = await createFixture();
    const { targets } = addResource(kind);
    await post({ targets });
    clock.advance(1_000);
    changeRows(listFieldOf(kind), absent);
    const refused = await post({ targets, wait_seconds: 50 });
    expect(refused.status).toBe(409);
    expect(errorOf(refused)).toMatchObject({ reason: "Conflict" });
    expect(refused.records[0]).toMatchObject({ outcome: "failed", error: { reason: "Conflict" } });
  });
});

/** Plans a small deployment for tests that compare values of the plan. */
import { expect } from "vitest";
import { type Planned, planOf, sources } from "./plan.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

export const TOPIC = "urn:smn:eu-west-101:0123456789abcdef0123456789abcdef:ops";

export const DEPLOYMENT = {
  region: "eu-west-101",
  disk_attached_kind: "standard-snapshot",
  lts_endpoint: "https://100.125.11.157:8102",
  alarm: { topic_urn: TOPIC },
  functions: ["disk-attached", "pre-deploy"],
  gateway: { instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7" } as Any,
  policies: {
    nightly: {
      schedule: "0 0 2 * * *",
      prune_schedule: "0 30 4 * * *",
      targets: [{ kind: "standard-snapshot", tags: { backup: "daily" } }],
      retention: { keep_daily: 7 },
    },
    weekly: {
      schedule: "0 0 5 * * 0",
      every_hours: 168,
      targets: [{ kind: "cluster-snapshot", tags: { backup: "weekly" } }],
    },
  } as Any,
};

export async function planned(changes: Any = {}) {
  const { resources, refusals, warnings } = await planOf(sources(), { ...DEPLOYMENT, ...changes });
  expect(refusals).toEqual([]);
  const of = (type: string, key?: string): Any[] =>
    resources
      .filter(
        (one: Planned) => [type, `huaweicloud_${type}`].includes(one.type) && (key === undefined || one.key === key),
      )
      .map(({ values }) => values);
  /** Returns the values of the resource with a type and a key. Fails unless exactly one resource has them. */
  const the = (type: string, key?: string): Any => {
    const all = of(type, key);
    expect(all, `${type} ${key ?? ""}`).toHaveLength(1);
    return all[0];
  };
  return { of, the, warnings };
}

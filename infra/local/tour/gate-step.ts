import { setTimeout as sleep } from "node:timers/promises";
import { message, parse, post, type Reply } from "../site/gateway-calls.ts";
import type { TourStep } from "./steps.ts";

/** Sooner than `Retry-After` asks for: nobody waits at a tour for long. */
const ASK_EVERY_MS = 500;
const PATIENCE_MS = 15_000;

interface Answer {
  status?: string;
  snapshots?: { snapshot_id?: string; detail?: string }[];
}

/** A deployment asks for its gate, and again until it is open. */
export function gateStep(deployment: string, targets: object[]): TourStep {
  return {
    title: "POST /pre-deploy",
    about: deployment,
    settled: true,
    async run({ gateway }) {
      const began = performance.now();
      const ask = () => post(`${gateway.url}/pre-deploy`, { deployment_id: deployment, targets, wait_seconds: 0 });
      const first = await ask();
      const ids = snapshotIds(first);
      if (first.status !== 202) return refused(first, ids);
      let calls = 1;
      let last = first;
      while (last.status === 202 && performance.now() - began < PATIENCE_MS) {
        await sleep(ASK_EVERY_MS);
        last = await ask();
        calls += 1;
      }
      if (last.status !== 200) return refused(last, ids);
      const same = String(snapshotIds(last)) === String(ids);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      return {
        said: `202 pending  ${calls} calls  ${seconds} s  200 ready`,
        snapshotIds: ids,
        problems: same ? [] : [`the snapshots of the first call were ${ids}, of the last ${snapshotIds(last)}`],
      };
    },
  };
}

const snapshotIds = ({ text }: Reply): string[] =>
  ((parse(text) as Answer | undefined)?.snapshots ?? []).flatMap(({ snapshot_id }) => snapshot_id ?? []);

const refused = ({ status, text }: Reply, ids: string[]) => ({
  said: `${status} ${message(text)}`,
  snapshotIds: ids,
  problems: [`answered ${status}: ${message(text)}`],
});

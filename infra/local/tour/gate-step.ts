import { setTimeout as sleep } from "node:timers/promises";
import { errorMessageIn, parseJson, postJson, type Reply } from "../site/gateway-calls.ts";
import type { TourStep } from "./step.ts";

/**
 * The pause between two requests, in milliseconds. It is shorter than the `Retry-After` in the responses, so the tour does not
 * take long.
 */
const POLL_MS = 500;
const MAX_WAIT_MS = 15_000;

interface GateResponse {
  status?: string;
  snapshots?: { snapshot_id?: string; detail?: string }[];
}

/** Returns the step that calls pre-deploy for a deployment, and repeats the call until pre-deploy responds `ready`. */
export function createGateStep(deployment: string, targets: object[]): TourStep {
  return {
    title: "POST /pre-deploy",
    subject: deployment,
    waitsForSnapshots: true,
    async run({ gateway }) {
      const startedAt = performance.now();
      const requestGate = () =>
        postJson(`${gateway.url}/pre-deploy`, { deployment_id: deployment, targets, wait_seconds: 0 });
      const first = await requestGate();
      const ids = snapshotIds(first);
      if (first.status !== 202) return createFailure(first, ids);
      let calls = 1;
      let last = first;
      while (last.status === 202 && performance.now() - startedAt < MAX_WAIT_MS) {
        await sleep(POLL_MS);
        last = await requestGate();
        calls += 1;
      }
      if (last.status !== 200) return createFailure(last, ids);
      const isSame = String(snapshotIds(last)) === String(ids);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      return {
        summary: `202 pending  ${calls} calls  ${seconds} s  200 ready`,
        snapshotIds: ids,
        problems: isSame
          ? []
          : [`expected the snapshots ${ids} of the first call in the last response, got ${snapshotIds(last)}`],
      };
    },
  };
}

const snapshotIds = ({ text }: Reply): string[] =>
  ((parseJson(text) as GateResponse | undefined)?.snapshots ?? []).flatMap(({ snapshot_id }) => snapshot_id ?? []);

const createFailure = ({ status, text }: Reply, ids: string[]) => ({
  summary: `${status} ${errorMessageIn(text)}`,
  snapshotIds: ids,
  problems: [`expected 202 and later 200, got ${status}: ${errorMessageIn(text)}`],
});

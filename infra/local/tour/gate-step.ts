import { setTimeout as sleep } from "node:timers/promises";
import { errorMessageIn, parseJson, postJson, type Reply } from "../site/gateway-calls.ts";
import { findRequestedSnapshots, normalizeStatus } from "../site/sample-inventory.ts";
import { watchForNewSnapshots } from "./deliveries.ts";
import { check, countOf, type TourStep } from "./step.ts";

/**
 * The pause between two requests, in milliseconds. It is shorter than the `Retry-After` in the responses, so the tour does not
 * take long.
 */
const POLL_MS = 300;
const MAX_WAIT_MS = 15_000;

interface GateResponse {
  status?: string;
  snapshots?: { snapshot_id?: string; detail?: string }[];
}

/** Returns the step that calls pre-deploy for a deployment, and repeats the call until pre-deploy responds `ready`. */
export function createGateStep(deployment: string, targets: object[]): TourStep {
  return {
    title: `POST /pre-deploy for ${deployment}, until it responds ready`,
    waitsForSnapshots: true,
    async run(localSite) {
      const { cloud, gateway } = localSite;
      const findNew = watchForNewSnapshots(localSite);
      const startedAt = performance.now();
      const requestGate = () =>
        postJson(`${gateway.url}/pre-deploy`, { deployment_id: deployment, targets, wait_seconds: 0 });
      const first = await requestGate();
      check(first.status === 202, "202 pending from the first request", describe(first), findNew());
      const ids = snapshotIds(first);
      let pending = 0;
      let last = first;
      while (last.status === 202 && performance.now() - startedAt < MAX_WAIT_MS) {
        pending += 1;
        await sleep(POLL_MS);
        last = await requestGate();
      }
      const statuses = new Map(findRequestedSnapshots(cloud).map(({ id, status }) => [id, normalizeStatus(status)]));
      const created = findNew();
      check(last.status === 200, "200 ready after the snapshots became available", describe(last), created);
      check(
        String([...ids].sort()) === String([...created].sort()) && String(snapshotIds(last)) === String(ids),
        `the same ${countOf(targets.length, "snapshot")} in every response, and no other new snapshot`,
        `${ids.length} in the first response, ${snapshotIds(last).length} in the last, ${created.length} in the cloud`,
        created,
      );
      const unfinished = ids.filter((id) => statuses.get(id) !== "available");
      const got = `${countOf(unfinished.length, "snapshot")} with another status`;
      check(unfinished.length === 0, "every snapshot to be available when pre-deploy responds ready", got, created);
      return {
        sentence: `pre-deploy: responded "pending" ${countOf(pending, "time")}, then "ready" when all ${countOf(ids.length, "snapshot")} of ${deployment} were available.`,
        snapshotIds: created,
        repeats: pending,
        guarantee: {
          name: "Gate",
          how: `The deployment ${deployment} got "ready" only after its ${countOf(ids.length, "snapshot")} became available.`,
        },
      };
    },
  };
}

const snapshotIds = ({ text }: Reply): string[] =>
  ((parseJson(text) as GateResponse | undefined)?.snapshots ?? []).flatMap(({ snapshot_id }) => snapshot_id ?? []);

const describe = ({ status, text }: Reply): string => `${status}: ${errorMessageIn(text)}`;

import { recordsInTopic } from "../site/records.ts";
import { normalizeStatus } from "../site/sample-inventory.ts";
import { atLeast, checkCloud, equal, replaceIds } from "./checks.ts";
import { type Delivery, duration, type ScenarioEnvironment } from "./environment.ts";
import type { Scenario } from "./scenario.ts";

const WAIT_SECONDS = 10;

/** The fields of a response of pre-deploy that the scenarios read. */
interface GateResponse {
  snapshots?: { error?: { message?: string } }[];
}

/** Returns a function that sends the same request to pre-deploy again and again, with additional fields. */
const createGateCall =
  (environment: ScenarioEnvironment, resources: readonly string[], targets: object[]) =>
  (fields = {}) =>
    environment.post("pre-deploy", { deployment_id: "release-7", targets, ...fields }, resources);

/** What the statuses in the responses of pre-deploy mean for the deployment. */
const OPEN = "200 (gate open)";
const PENDING = "202 (gate closed: a snapshot is not available yet)";
const FAILED = "502 (gate closed: a snapshot failed)";
const GATE: Record<string, string> = { "200 ready": OPEN, "202 pending": PENDING, "502 failed": FAILED };

/** Returns a response of pre-deploy in words. */
const describeGate = ({ summary }: Delivery): string => GATE[summary] ?? summary;

const countAvailable = (environment: ScenarioEnvironment): number =>
  environment.ownSnapshots().filter(({ status }) => normalizeStatus(status) === "available").length;

/** pre-deploy waits until the snapshots of a deployment are available, and then opens. */
export const gateOpens: Scenario = {
  name: "gate-opens",
  summary: "A deployment gate waits for its snapshots and then opens.",
  guarantee: "pre-deploy lets a deployment begin only when every snapshot of the deployment is available.",
  creationMs: { snapshot: 1000, "snapshot-group": 2000, "cluster-snapshot": 3000 },
  async run(environment) {
    const { inventory } = environment.site;
    const resources = ["web-1-data", "database-1", "warehouse"];
    const callGate = createGateCall(environment, resources, [
      { kind: "snapshot", volume_ids: [inventory.webData] },
      { kind: "snapshot-group", server_ids: [inventory.database] },
      { kind: "cluster-snapshot", cluster_ids: [inventory.idOf("warehouse")] },
    ]);
    const first = await callGate();
    const creating = resources.length - countAvailable(environment);
    const second = await callGate({ wait_seconds: WAIT_SECONDS });
    const available = countAvailable(environment);
    return {
      faults: [
        `This scenario has no fault. The cloud needs 1 to 3 s to create a snapshot, and was creating ${creating} when the gate first responded.`,
      ],
      actions: [
        `POST /pre-deploy: ${describeGate(first)} after ${duration(first)}.`,
        `The same request with "wait_seconds": ${WAIT_SECONDS}: ${describeGate(second)} after ${duration(second)}.`,
      ],
      evaluate: () => ({
        conclusion: `the gate opened when ${available} of ${resources.length} snapshots were available`,
        checks: [
          equal("first response", PENDING, describeGate(first)),
          atLeast("snapshots in creation at the first response", 1, creating),
          equal("second response", OPEN, describeGate(second)),
          equal("snapshots available at the second response", resources.length, available),
          ...checkCloud(environment, { resources, outcomes: "3 accepted, 3 available" }),
        ],
      }),
    };
  },
};

/** A snapshot of a deployment fails, so pre-deploy stays closed and says what to do. */
export const gateCloses: Scenario = {
  name: "gate-closes",
  summary: "A snapshot fails, so the deployment gate stays closed.",
  guarantee: "pre-deploy does not let a deployment begin without its snapshots, and says what to do.",
  creationMs: 800,
  async run(environment) {
    const { cloud, inventory } = environment.site;
    const resources = ["web-1-data", "archive"];
    cloud.endWith(inventory.webData, "error");
    const callGate = createGateCall(environment, resources, [
      { kind: "snapshot", volume_ids: resources.map(inventory.idOf) },
    ]);
    const first = await callGate({ wait_seconds: WAIT_SECONDS });
    const total = environment.ownSnapshots().length;
    const failed = total - countAvailable(environment);
    const again = await callGate();
    const record = recordsInTopic(cloud).find(({ action, outcome }) => action === "create" && outcome === "failed");
    const advised = await callGate({ retry_failed: true, wait_seconds: WAIT_SECONDS });
    const [entry] = (first.body as GateResponse | undefined)?.snapshots ?? [];
    const isSameMessage = entry?.error?.message !== undefined && entry.error.message === record?.error?.message;
    return {
      faults: [`${failed} of ${total} snapshots ended with the status "error": the snapshot of the disk web-1-data.`],
      actions: [
        `POST /pre-deploy: ${describeGate(first)} after ${duration(first)}. The same request again: ${again.summary === first.summary ? "the same response" : describeGate(again)}.`,
        `The same request with "retry_failed": true: ${describeGate(advised)} after ${duration(advised)}.`,
      ],
      advice: replaceIds(`${record?.error?.reason}: ${record?.error?.message}`, environment),
      evaluate: () => ({
        conclusion: `${failed} of ${total} snapshots failed and the gate stayed closed`,
        checks: [
          equal("failed snapshots", 1, failed),
          equal("first response", FAILED, describeGate(first)),
          equal("second response", FAILED, describeGate(again)),
          equal("response with retry_failed", OPEN, describeGate(advised)),
          equal("the caller and the record have the same message", "yes", isSameMessage ? "yes" : "no"),
          ...checkCloud(environment, { resources, failed: { "web-1-data": 1 }, outcomes: "4 available, 2 failed" }),
        ],
      }),
    };
  },
};

import { setTimeout as sleep } from "node:timers/promises";
import type { CloudOptions, SeededSnapshot, SnapshotView } from "../cloud/index.ts";
import { errorMessageIn, parseJson, postJson } from "../site/gateway-calls.ts";
import { type LocalSite, startLocalSite } from "../site/local-site.ts";
import { parseRecord, type ResultRecord } from "../site/records.ts";
import { findRequestedSnapshots, normalizeStatus } from "../site/sample-inventory.ts";

/** One invocation of a function in a scenario. */
export interface Delivery {
  functionName: string;
  requestId: string;
  /** The names of the resources for which the function must write a result record, one name for each record. */
  targets: readonly string[];
  seconds: number;
  /** Either the outcomes of the targets, such as `4 accepted`, or the HTTP status, or the error of the invocation. */
  summary: string;
}

/** Returns how long an invocation took, such as `6.4 s`, with a no-break space. */
export const duration = ({ seconds }: Delivery): string => `${seconds.toFixed(1)}\u00a0s`;

/** An invocation through the API gateway. */
export interface HttpDelivery extends Delivery {
  /** The parsed body of the response. Undefined if the body is not JSON. */
  body: unknown;
}

/** A local site with the data that a scenario measures. */
export interface ScenarioEnvironment {
  site: LocalSite;
  /** The result records that the functions printed. */
  printed: readonly ResultRecord[];
  /** All invocations, in the order of their results. */
  deliveries: readonly Delivery[];
  /** Delivers an event to a function and waits for the result. */
  deliver(functionName: string, event: object, targets: readonly string[]): Promise<Delivery>;
  /** Sends a request to a function through the API gateway and waits for the response. */
  post(
    functionName: string,
    body: object,
    targets: readonly string[],
    headers?: Record<string, string>,
  ): Promise<HttpDelivery>;
  /** Returns the snapshots of the embedded cloud, except members of groups and snapshots that another tool created. */
  ownSnapshots(): SnapshotView[];
  /** Adds a snapshot as another tool would. `ownSnapshots` does not return it. */
  addForeignSnapshot(snapshot: SeededSnapshot): SnapshotView;
  /** Waits until no snapshot has the status `creating`, but at most 10 s. */
  waitUntilSettled(): Promise<void>;
}

const POLL_MS = 50;
const MAX_POLLS = 200;

/** Starts a local site for one scenario. The caller must close `site`. */
export async function startEnvironment(creationMs: CloudOptions["creationMs"]): Promise<ScenarioEnvironment> {
  const printed: ResultRecord[] = [];
  const deliveries: Delivery[] = [];
  const foreignIds = new Set<string>();
  const onLine = ({ text }: { text: string }) => {
    const record = parseRecord(text);
    if (record) printed.push(record);
  };
  const site = await startLocalSite({ creationMs, onLine });
  const { cloud, host, gateway } = site;
  const keep = <D extends Delivery>(delivery: D): D => {
    deliveries.push(delivery);
    return delivery;
  };

  return {
    site,
    printed,
    deliveries,
    async deliver(functionName, event, targets) {
      const { requestId, result, error, durationMs } = await host.invoke(functionName, event);
      const outcomes = (result as { outcomes?: Record<string, number> } | undefined)?.outcomes ?? {};
      const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
      const summary = error ? `${error.errorType}: ${error.errorMessage}` : counts.join(", ") || "no outcome";
      return keep({ functionName, requestId, targets, seconds: durationMs / 1000, summary });
    },
    async post(functionName, body, targets, headers) {
      const started = performance.now();
      const reply = await postJson(`${gateway.url}/${functionName}`, body, headers);
      const seconds = (performance.now() - started) / 1000;
      const requestId = reply.headers.get("x-request-id") ?? "";
      const outcome = reply.headers.get("x-snapshot-outcome");
      const response = parseJson(reply.text) as { status?: string } | undefined;
      const summary = [reply.status, outcome ?? response?.status ?? errorMessageIn(reply.text)]
        .filter(Boolean)
        .join(" ");
      return keep({ functionName, requestId, targets, seconds, summary, body: response });
    },
    ownSnapshots: () => findRequestedSnapshots(cloud).filter(({ id }) => !foreignIds.has(id)),
    addForeignSnapshot(snapshot) {
      const added = cloud.addSnapshot(snapshot);
      foreignIds.add(added.id);
      return added;
    },
    async waitUntilSettled() {
      const isCreating = () => cloud.snapshots().some(({ status }) => normalizeStatus(status) === "creating");
      for (let polls = 0; isCreating() && polls < MAX_POLLS; polls += 1) await sleep(POLL_MS);
    },
  };
}

/** Checks what an invocation says against what there is in the cloud. */
import type { SnapshotView } from "../../infra/local/cloud/index.ts";
import type { Complain, Evidence, LooseRecord } from "./evidence.ts";
import { keyIn, resourceOf } from "./inventory.ts";
import type { Scenario } from "./scenarios.ts";

const SUCCESSES = ["accepted", "existing", "available"];

/** What is reported as done was done: in the cloud, or by the word of a response that could not be told from a true one. */
export function checkTruth(evidence: Evidence, records: LooseRecord[], complain: Complain): void {
  const { cloud, before, scenario } = evidence;
  const listsAreTrue = evidence.trueCalls(/\.list/);
  const after = cloud.snapshots();
  const byId = new Map(after.map((one) => [one.id, one]));
  for (const { action, kind, outcome, snapshot_id, resource_id } of records) {
    const found = byId.get(snapshot_id);
    if (action === "create" && SUCCESSES.includes(outcome)) {
      const right = found !== undefined && found.kind === kind && resourceOf(found) === resource_id;
      const failed = found !== undefined && /error|unavailable/i.test(found.status);
      // Whether a snapshot is available is read from a list.
      const believed = wasShown(snapshot_id, evidence) && !(outcome === "available" && listsAreTrue);
      if ((right && !failed) || believed) continue;
      const what = found === undefined ? "not there" : `${found.status} and of ${resourceOf(found)}`;
      complain("no false success", `${kind} ${resource_id} is ${outcome} as ${snapshot_id}, which is ${what}`);
    }
    if (action === "prune" && outcome === "deleted" && found !== undefined && listsAreTrue) {
      // Prune believes a delete that the cloud acknowledges, or does not find; whether the snapshot disappears shows in the next run.
      if (/deleting/i.test(found.status) || wasAcknowledged(evidence)) continue;
      complain("no false success", `${kind} ${snapshot_id} is reported as deleted, and is ${found.status}`);
    }
  }
  // A create that reads as a failure may be repeated after a look that shows nothing.
  if (!listsAreTrue && !evidence.trueCalls(/\.create/)) return;
  const old = new Set(before.map(({ id }) => id));
  const made = after.filter(({ id, status }) => !old.has(id) && !/error|unavailable/i.test(status));
  const keys = new Map<string, string[]>();
  for (const one of made) {
    // The members of a group belong to it.
    if (one.snapshot_group_id) continue;
    const name = `${one.kind} ${resourceOf(one)} ${keyIn(one)}`;
    keys.set(name, [...(keys.get(name) ?? []), one.id]);
  }
  for (const [name, ids] of keys)
    if (ids.length > 1) complain("no duplicate", `${ids.length} snapshots of ${name}: ${ids}`);
  if (!listsAreTrue) return;
  checkDeletions(scenario, before, byId, complain);
}

/** Whether a response that reads as a success named the id. */
function wasShown(id: string, { responses }: Evidence): boolean {
  // What is not said in full, because it holds a secret, cannot be found again.
  if (id.includes("***")) return true;
  const written = JSON.stringify(id).slice(1, -1);
  return responses.some(({ body, ids, fault }) => {
    if (fault.type === "acknowledge") return true;
    if (fault.type === "status" && (fault.status < 200 || fault.status > 299)) return false;
    return ids?.has(id) || body?.includes(written);
  });
}

/** Whether a response to a delete that was not the cloud's own said that the snapshot is deleted, or never existed. */
const wasAcknowledged = ({ responses }: Evidence): boolean =>
  responses.some(({ operation, fault, body = "" }) => {
    if (!/\.delete/.test(operation)) return false;
    if (fault.type !== "status") return ["acknowledge", "edit", "emptyBody", "notJson", "raw"].includes(fault.type);
    if ([400, 404].includes(fault.status)) return /EVS\.5404|itemNotFound|DWS\.(0001|5149)/.test(body);
    return fault.status >= 200 && fault.status <= 299;
  });

/** With lists that tell the truth, nothing goes that is held or foreign, nor the last good one of a resource. */
function checkDeletions(
  { functionName }: Scenario,
  before: readonly SnapshotView[],
  after: ReadonlyMap<string, SnapshotView>,
  complain: Complain,
): void {
  const goodBefore = new Map<string, SnapshotView[]>();
  for (const one of before) {
    if (one.snapshot_group_id) continue;
    const left = after.get(one.id);
    const gone = left === undefined || /deleting/i.test(left.status);
    const held = /^hold\b/.test(one.description ?? "") || "hold" in (one.metadata ?? one.tags ?? {});
    if (gone && (held || keyIn(one) === undefined))
      complain("deletes as planned", `${one.kind} ${one.id}, held or foreign, is gone`);
    if (gone && !/prune|scheduled|pre-deploy|attached/.test(functionName))
      complain("deletes as planned", `${one.id} is gone`);
    if (/^(available|avaialble|AVAILABLE)$/.test(one.status) && keyIn(one) !== undefined) {
      const name = `${one.kind} ${resourceOf(one)}`;
      goodBefore.set(name, [...(goodBefore.get(name) ?? []), one]);
    }
  }
  for (const [name, ones] of goodBefore) {
    const left = ones.some(({ id }) => after.get(id) !== undefined && !/deleting/i.test(after.get(id)?.status ?? ""));
    if (!left) complain("deletes as planned", `no good snapshot is left of ${name}`);
  }
}

/** Where the topic takes records it has every line, and the summary says so only then. */
export function checkTopic({ invoked, cloud, trueCalls, responses }: Evidence, complain: Complain): void {
  const kept = new Set(cloud.logs.map(({ text }) => text));
  const lost = invoked.stdout.filter((line) => !kept.has(line));
  if (lost.length === 0) return;
  if (trueCalls(/^lts/)) {
    complain("topic has all", `${lost.length} lines are missing, such as ${lost[0]?.slice(0, 200)}`);
    return;
  }
  const text = invoked.result ?? invoked.error?.message ?? "";
  const lied = responses.some(({ body, fault }) => body?.includes(".200.200") || fault.type === "acknowledge");
  if (/"topic":"delivered"/.test(text) && !lied) {
    complain("topic has all", `reported as delivered, and ${lost.length} lines are missing`);
  }
}

/** Compares the records of an invocation with the snapshots in the cloud. */
import type { SnapshotView } from "../../infra/local/cloud/index.ts";
import { resourceOf } from "../support/kinds.ts";
import type { Complain, Evidence, LooseRecord } from "./evidence.ts";
import { keyIn } from "./inventory.ts";
import type { Scenario } from "./scenarios.ts";

const SUCCESSES = ["accepted", "existing", "available"];

/** Checks that reported successes are real, or that a random response was indistinguishable from a real success. */
export function checkTruth(evidence: Evidence, records: LooseRecord[], complain: Complain): void {
  const { cloud, before, scenario } = evidence;
  const listsAreTrue = evidence.isUnfuzzed(/\.list/);
  const after = cloud.snapshots();
  const byId = new Map(after.map((one) => [one.id, one]));
  for (const { action, kind, outcome, snapshot_id, resource_id } of records) {
    const found = byId.get(snapshot_id);
    if (action === "create" && SUCCESSES.includes(outcome)) {
      const right = found !== undefined && found.kind === kind && resourceOf(found) === resource_id;
      const failed = found !== undefined && /error|unavailable/i.test(found.status);
      // The function reads from a list whether a snapshot is available.
      const believed = wasNamedInSuccess(snapshot_id, evidence) && !(outcome === "available" && listsAreTrue);
      if ((right && !failed) || believed) continue;
      const what = found === undefined ? "missing" : `${found.status} and of ${resourceOf(found)}`;
      complain("no false success", `${kind} ${resource_id} is ${outcome} as ${snapshot_id}, which is ${what}`);
    }
    if (action === "prune" && outcome === "deleted" && found !== undefined && listsAreTrue) {
      // Prune trusts a delete that the cloud acknowledges or answers with "not found". The next run lists the snapshot again.
      if (/deleting/i.test(found.status) || wasAcknowledged(evidence)) continue;
      complain("no false success", `${kind} ${snapshot_id} is reported as deleted, and is ${found.status}`);
    }
  }
  // After a false failure of a create and a false list the function may repeat the create.
  if (!listsAreTrue && !evidence.isUnfuzzed(/\.create/)) return;
  const old = new Set(before.map(({ id }) => id));
  const made = after.filter(({ id, status }) => !old.has(id) && !/error|unavailable/i.test(status));
  const keys = new Map<string, string[]>();
  for (const one of made) {
    // The members of a group belong to the group.
    if (one.snapshot_group_id) continue;
    const name = `${one.kind} ${resourceOf(one)} ${keyIn(one)}`;
    keys.set(name, [...(keys.get(name) ?? []), one.id]);
  }
  for (const [name, ids] of keys)
    if (ids.length > 1) complain("no duplicate", `${ids.length} snapshots of ${name}: ${ids}`);
  if (!listsAreTrue) return;
  checkDeletions(scenario, before, byId, complain);
}

/** Returns whether a response that looks like a success contained the id. */
function wasNamedInSuccess(id: string, { responses }: Evidence): boolean {
  // A redacted id cannot be compared.
  if (id.includes("***")) return true;
  const written = JSON.stringify(id).slice(1, -1);
  return responses.some(({ body, ids, fault }) => {
    if (fault.type === "acknowledge") return true;
    if (fault.type === "status" && (fault.status < 200 || fault.status > 299)) return false;
    return ids?.has(id) || body?.includes(written);
  });
}

/** Returns whether a random response to a delete reported that the snapshot is deleted or does not exist. */
const wasAcknowledged = ({ responses }: Evidence): boolean =>
  responses.some(({ operation, fault, body = "" }) => {
    if (!/\.delete/.test(operation)) return false;
    if (fault.type !== "status") return ["acknowledge", "edit", "emptyBody", "notJson", "raw"].includes(fault.type);
    if ([400, 404].includes(fault.status)) return /EVS\.5404|itemNotFound|DWS\.(0001|5149)/.test(body);
    return fault.status >= 200 && fault.status <= 299;
  });

/** Checks that no held or foreign snapshot and no last good snapshot of a resource is deleted. Requires unchanged lists. */
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
    const isDeleted = left === undefined || /deleting/i.test(left.status);
    const held = /^hold\b/.test(one.description ?? "") || "hold" in (one.metadata ?? one.tags ?? {});
    if (isDeleted && (held || keyIn(one) === undefined))
      complain("deletes as planned", `${one.kind} ${one.id}, held or foreign, was deleted`);
    if (isDeleted && !/prune|scheduled|pre-deploy|attached/.test(functionName))
      complain("deletes as planned", `${one.id} was deleted`);
    if (/^(available|avaialble|AVAILABLE)$/.test(one.status) && keyIn(one) !== undefined) {
      const name = `${one.kind} ${resourceOf(one)}`;
      goodBefore.set(name, [...(goodBefore.get(name) ?? []), one]);
    }
  }
  for (const [name, ones] of goodBefore) {
    const left = ones.some(({ id }) => after.get(id) !== undefined && !/deleting/i.test(after.get(id)?.status ?? ""));
    if (!left) complain("deletes as planned", `no good snapshot of ${name} remains`);
  }
}

/** Checks that the topic has every line, and that the summary reports a delivery only if it has. */
export function checkTopic({ invoked, cloud, isUnfuzzed, responses }: Evidence, complain: Complain): void {
  const kept = new Set(cloud.logs.map(({ text }) => text));
  const lost = invoked.stdout.filter((line) => !kept.has(line));
  if (lost.length === 0) return;
  if (isUnfuzzed(/^lts/)) {
    complain("topic has all", `${lost.length} lines are missing, such as ${lost[0]?.slice(0, 200)}`);
    return;
  }
  const text = invoked.result ?? invoked.error?.message ?? "";
  const lied = responses.some(({ body, fault }) => body?.includes(".200.200") || fault.type === "acknowledge");
  if (/"topic":"delivered"/.test(text) && !lied) {
    complain("topic has all", `reported as delivered, and ${lost.length} lines are missing`);
  }
}

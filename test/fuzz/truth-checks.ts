/** Compares the result records of an invocation with the snapshots in the embedded cloud. */
import type { SnapshotView } from "../../infra/local/cloud/index.ts";
import { resourceOf } from "../support/kinds.ts";
import type { Evidence, LooseRecord, ReportBroken } from "./evidence.ts";
import { keyIn } from "./inventory.ts";
import type { Scenario } from "./scenarios.ts";

const SUCCESSES = ["accepted", "existing", "available"];

/** Checks that each success record is true, unless a random response looked like a success to the function. */
export function checkTruth(evidence: Evidence, records: LooseRecord[], report: ReportBroken): void {
  const { cloud, before, scenario } = evidence;
  const areListsUnfuzzed = evidence.isUnfuzzed(/\.list/);
  const after = cloud.snapshots();
  const byId = new Map(after.map((one) => [one.id, one]));
  for (const { action, kind, outcome, snapshot_id, resource_id } of records) {
    const found = byId.get(snapshot_id);
    if (action === "create" && SUCCESSES.includes(outcome)) {
      const isRight = found !== undefined && found.kind === kind && resourceOf(found) === resource_id;
      const hasFailed = found !== undefined && /error|unavailable/i.test(found.status);
      // Only a list response tells a function that a snapshot is available. If no list response was random, "available" must be
      // true.
      const couldBeTrue = wasInSuccessResponse(snapshot_id, evidence) && !(outcome === "available" && areListsUnfuzzed);
      if ((isRight && !hasFailed) || couldBeTrue) continue;
      const what = found === undefined ? "does not exist" : `belongs to ${resourceOf(found)} and is ${found.status}`;
      report(
        "no false success",
        `${kind} ${resource_id} has the outcome ${outcome}, but its snapshot ${snapshot_id} ${what}`,
      );
    }
    if (action === "prune" && outcome === "deleted" && found !== undefined && areListsUnfuzzed) {
      // A random response to the delete request may report success or "not found". The next run of prune-snapshots finds the
      // snapshot.
      if (/deleting/i.test(found.status) || wasDeletionConfirmed(evidence)) continue;
      report(
        "no false success",
        `${kind} ${snapshot_id} has the outcome deleted, but still exists and is ${found.status}`,
      );
    }
  }
  // If a create response and a list response are both random, the function may create a second snapshot.
  if (!areListsUnfuzzed && !evidence.isUnfuzzed(/\.create/)) return;
  const old = new Set(before.map(({ id }) => id));
  const made = after.filter(({ id, status }) => !old.has(id) && !/error|unavailable/i.test(status));
  const keys = new Map<string, string[]>();
  for (const one of made) {
    // Ignore the members of snapshot groups, because only the group has an idempotency key.
    if (one.snapshot_group_id) continue;
    const name = `${one.kind} ${resourceOf(one)} ${keyIn(one)}`;
    keys.set(name, [...(keys.get(name) ?? []), one.id]);
  }
  for (const [name, ids] of keys)
    if (ids.length > 1) report("no duplicate", `${name} has ${ids.length} snapshots: ${ids}`);
  if (!areListsUnfuzzed) return;
  checkDeletions(scenario, before, byId, report);
}

/** Returns whether a random response that looks like a success contained the id. */
function wasInSuccessResponse(id: string, { responses }: Evidence): boolean {
  // The function replaced a part of the id by ***, so no comparison is possible.
  if (id.includes("***")) return true;
  const written = JSON.stringify(id).slice(1, -1);
  return responses.some(({ body, ids, fault }) => {
    if (fault.type === "acknowledge") return true;
    if (fault.type === "status" && (fault.status < 200 || fault.status > 299)) return false;
    return ids?.has(id) || body?.includes(written);
  });
}

/** Returns whether a random response to a delete request reported a success, or that the snapshot does not exist. */
const wasDeletionConfirmed = ({ responses }: Evidence): boolean =>
  responses.some(({ operation, fault, body = "" }) => {
    if (!/\.delete/.test(operation)) return false;
    if (fault.type !== "status") return ["acknowledge", "edit", "emptyBody", "notJson", "raw"].includes(fault.type);
    if ([400, 404].includes(fault.status)) return /EVS\.5404|itemNotFound|DWS\.(0001|5149)/.test(body);
    return fault.status >= 200 && fault.status <= 299;
  });

/**
 * Checks that the function deleted no foreign snapshot, no snapshot with a hold label, and not every good snapshot of a resource.
 * Call it only if no list response was random.
 */
function checkDeletions(
  { functionName }: Scenario,
  before: readonly SnapshotView[],
  after: ReadonlyMap<string, SnapshotView>,
  report: ReportBroken,
): void {
  const goodBefore = new Map<string, SnapshotView[]>();
  for (const one of before) {
    if (one.snapshot_group_id) continue;
    const left = after.get(one.id);
    const isDeleted = left === undefined || /deleting/i.test(left.status);
    const held = /^hold\b/.test(one.description ?? "") || "hold" in (one.metadata ?? one.tags ?? {});
    if (isDeleted && (held || keyIn(one) === undefined))
      report("deletes as planned", `${one.kind} ${one.id} was deleted although it is held or foreign`);
    if (isDeleted && !/prune|scheduled|pre-deploy|attached/.test(functionName))
      report(
        "deletes as planned",
        `${one.kind} ${one.id} was deleted by ${functionName}, which must not delete snapshots`,
      );
    if (/^(available|avaialble|AVAILABLE)$/.test(one.status) && keyIn(one) !== undefined) {
      const name = `${one.kind} ${resourceOf(one)}`;
      goodBefore.set(name, [...(goodBefore.get(name) ?? []), one]);
    }
  }
  for (const [name, ones] of goodBefore) {
    const left = ones.some(({ id }) => after.get(id) !== undefined && !/deleting/i.test(after.get(id)?.status ?? ""));
    if (!left) report("deletes as planned", `every good snapshot of ${name} was deleted`);
  }
}

/**
 * Checks that the logging topic contains every printed line. If a random LTS response caused a gap, the result must not claim
 * delivery.
 */
export function checkTopic({ invoked, cloud, isUnfuzzed, responses }: Evidence, report: ReportBroken): void {
  const kept = new Set(cloud.logs.map(({ text }) => text));
  const lost = invoked.stdout.filter((line) => !kept.has(line));
  if (lost.length === 0) return;
  if (isUnfuzzed(/^lts/)) {
    report("topic has all", `the topic lacks ${lost.length} printed lines, such as ${lost[0]?.slice(0, 200)}`);
    return;
  }
  const text = invoked.result ?? invoked.error?.message ?? "";
  const wasSuccessFaked = responses.some(
    ({ body, fault }) => body?.includes(".200.200") || fault.type === "acknowledge",
  );
  if (/"topic":"delivered"/.test(text) && !wasSuccessFaked) {
    report("topic has all", `the result says "delivered", but the topic lacks ${lost.length} printed lines`);
  }
}

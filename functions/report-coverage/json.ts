/** Creates a report in JSON. */
import { formatInstant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { boundText, escapeControls } from "../../shared/core/untrusted.ts";
import {
  type Coverage,
  MAX_ORPHANS,
  type ResourceCoverage,
  type RestorePoint,
} from "../../shared/coverage/coverage.ts";
import { restoreCallOf } from "../../shared/coverage/restore-call.ts";
import { ageHoursOf } from "../../shared/coverage/rules.ts";
import type { CoverageQuery } from "./query.ts";
import { costOf, fitResources, type PagedBody, pageOf } from "./report-pages.ts";

/** The maximum number of faults in a report. */
const MAX_FAULTS = 50;
/** The maximum length of a fault in characters. */
const MAX_FAULT_CHARACTERS = 1_000;
/** The number of servers and policies of a resource that is too large. */
const MAX_NAMES = 20;

/** Returns the faults of a report, shortened so that they leave room for resources. */
export const boundFaults = ({ faults }: Coverage): string[] =>
  faults.slice(0, MAX_FAULTS).map((fault) => boundText(fault, MAX_FAULT_CHARACTERS));

/** Returns one page of a report in JSON. */
export function toJson(coverage: Coverage, query: CoverageQuery): PagedBody {
  const { generatedAt, maxAgeHours, complete, counts } = coverage;
  const { page } = query;
  const { resources, pages } = pageOf(coverage, query);
  const head = {
    generated_at: formatInstant(generatedAt),
    max_age_hours: maxAgeHours,
    complete,
    faults: boundFaults(coverage),
    counts,
  };
  const orphans = coverage.orphans.slice(0, MAX_ORPHANS).map(({ kind, id, resourceId, created }) => ({
    kind,
    id,
    resource_id: resourceId,
    ...(created === undefined ? {} : { created_at: formatInstant(created) }),
  }));
  const isCapped = counts.orphaned > orphans.length;
  const tail = { orphans, ...(isCapped ? { orphans_truncated: true } : {}), page, pages };
  const start = `${toText(head).slice(0, -1)},"resources":[`;
  const end = `],${toText(tail).slice(1)}`;
  const texts = fitResources(resources, costOf(start) + costOf(end), (resource, maxCost) =>
    resourceText(resource, coverage, toText, maxCost),
  );
  return { body: `${start}${texts.join(",")}${end}`, page, pages };
}

/**
 * Returns a value as JSON, with escapes instead of characters that could mislead a reader. The middleware escapes them in any
 * case. They are escaped here so the size of the body is known.
 */
const toText = (value: object): string => escapeControls(JSON.stringify(value));

/** The fields of a resource in a report. */
type ResourceFields = ReturnType<typeof toFields> & { truncated?: true };

/**
 * Returns the text of a resource. If the text costs more than `maxCost`, leaves out restore points. If that is not enough, leaves
 * out most servers and policies, and then tags.
 */
export function resourceText(
  resource: ResourceCoverage,
  coverage: Coverage,
  toText: (fields: ResourceFields) => string,
  maxCost = Number.POSITIVE_INFINITY,
): string {
  let fields: ResourceFields = toFields(resource, coverage);
  for (;;) {
    const text = toText(fields);
    const cost = costOf(text);
    if (cost <= maxCost) return text;
    const { restore_points, server_ids, policies } = fields;
    const tags = Object.entries(fields.tags);
    fields = { ...fields, truncated: true };
    if (restore_points.length > 0) fields.restore_points = restore_points.slice(0, restore_points.length / 2);
    else if (server_ids.length > MAX_NAMES || policies.length > MAX_NAMES) {
      fields.server_ids = server_ids.slice(0, MAX_NAMES);
      fields.policies = policies.slice(0, MAX_NAMES);
    } else if (tags.length > 0)
      fields.tags = Object.fromEntries(tags.slice(0, tags.length * Math.min(0.9, maxCost / cost)));
    else return text;
  }
}

function toFields(resource: ResourceCoverage, { projectId, generatedAt, maxAgeHours }: Coverage) {
  const { type, id, name, state, reason, sizeGb, serverIds, tags, good, failed, policies, newest } = resource;
  const restore_points = resource.restorePoints.map((point) => {
    const call = restoreCallOf(projectId, resource, point);
    return { ...pointFields(point), restore: call.toText(), requires: call.requires };
  });
  return {
    type,
    id,
    name,
    state,
    reason,
    ...(sizeGb === undefined ? {} : { size_gb: sizeGb }),
    server_ids: serverIds,
    tags,
    good,
    failed,
    policies,
    ...(newest === undefined
      ? {}
      : {
          newest: {
            ...pointFields(newest),
            name: newest.name,
            age_hours: ageHoursOf(newest.created, generatedAt, maxAgeHours),
            ...(newest.policy === undefined ? {} : { policy: newest.policy }),
            created_by: newest.createdBy,
          },
        }),
    restore_points,
  };
}

const pointFields = ({ kind, id, groupId, created }: RestorePoint): JsonObject => ({
  kind,
  id,
  ...(groupId === undefined ? {} : { group_id: groupId }),
  created_at: formatInstant(created),
});

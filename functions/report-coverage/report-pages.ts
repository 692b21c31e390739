/** Divides a report into pages that are small enough for the response of a function. */
import type { Coverage, CoverageState, ResourceCoverage } from "../../shared/coverage/coverage.ts";

/** The maximum size of a body in bytes. The result of a function can have 6 MB (SOURCES.md#functiongraph-limits). */
export const MAX_BODY_BYTES = 3_500_000;
/**
 * The maximum size of a body inside the result of the function, in bytes. The result is JSON, so a quotation mark in the body
 * takes two bytes, or four if it is already escaped.
 */
const MAX_ESCAPED_BYTES = 5_900_000;
/** The number of resources on a page in JSON and CSV. */
const RESOURCES_PER_PAGE = 500;

/** One page of a report. */
export interface PagedBody {
  body: string;
  /** The page in the body, from 1. A page beyond the last one is empty. */
  page: number;
  pages: number;
}

/** Returns the resources on a page. The resources of a report are sorted by type and id, so a page keeps its limits. */
export function pageOf(
  { resources }: Coverage,
  { states, page }: { states: readonly CoverageState[]; page: number },
): { resources: readonly ResourceCoverage[]; pages: number } {
  const listed = resources.filter(({ state }) => states.includes(state));
  return {
    resources: listed.slice((page - 1) * RESOURCES_PER_PAGE, page * RESOURCES_PER_PAGE),
    pages: Math.max(1, Math.ceil(listed.length / RESOURCES_PER_PAGE)),
  };
}

/** Returns the share of a body that a text takes, in bytes of a body of `MAX_BODY_BYTES`. */
export const costOf = (text: string): number =>
  Math.max(
    Buffer.byteLength(text),
    Math.ceil((Buffer.byteLength(JSON.stringify(text)) * MAX_BODY_BYTES) / MAX_ESCAPED_BYTES),
  );

/**
 * Converts resources to texts that fit into one body. If they do not fit, shortens each resource whose text is larger than its
 * share of the body.
 *
 * @param otherBytes the cost of the other parts of the body
 * @param toText returns the text of a resource. If `maxCost` is given, the text must not cost more
 */
export function fitResources(
  resources: readonly ResourceCoverage[],
  otherBytes: number,
  toText: (resource: ResourceCoverage, maxCost?: number) => string,
): string[] {
  const room = MAX_BODY_BYTES - otherBytes;
  const texts = resources.map((resource) => toText(resource));
  const costs = texts.map((text) => costOf(text) + 1);
  if (costs.reduce((sum, cost) => sum + cost, 0) <= room) return texts;
  // A resource that needs less than its share leaves the rest to the larger ones.
  let share = 0;
  let left = room;
  for (const [index, cost] of costs.toSorted((a, b) => a - b).entries()) {
    share = Math.floor(left / (costs.length - index));
    left -= Math.min(cost, share);
  }
  return resources.map((resource, index) => {
    const text = texts[index] ?? "";
    return (costs[index] ?? 0) <= share ? text : toText(resource, share - 1);
  });
}

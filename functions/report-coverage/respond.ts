import type { Coverage, ResourceCoverage, RestorePoint } from "../../shared/coverage/coverage.ts";
import { restoreCallOf } from "../../shared/coverage/restore-call.ts";
import type { TextResponse } from "../../shared/middleware/query-request.ts";
import { toCsv } from "./csv.ts";
import { toJson } from "./json.ts";
import { headerPolicy, renderPage } from "./page/render-page.ts";
import type { CoverageQuery } from "./query.ts";
import { MAX_BODY_BYTES, type PagedBody } from "./report-pages.ts";

/** A report in one format. */
interface Format {
  headers(): Record<string, string>;
  create(coverage: Coverage, query: CoverageQuery): PagedBody;
}

const FORMATS: Readonly<Record<NonNullable<CoverageQuery["format"]>, Format>> = {
  html: {
    headers: () => ({ "content-type": "text/html; charset=utf-8", "content-security-policy": headerPolicy() }),
    create: toHtml,
  },
  csv: {
    headers: () => ({
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": 'attachment; filename="coverage.csv"',
    }),
    create: toCsv,
  },
  json: { headers: () => ({ "content-type": "application/json" }), create: toJson },
};

/**
 * Creates the response with one page of a report.
 *
 * @param accept the `Accept` header, which selects the format if the query contains none
 */
export function respond(coverage: Coverage, query: CoverageQuery, accept: string): TextResponse {
  const format = query.format ?? formatOf(accept);
  const { headers, create } = FORMATS[format];
  const { body, page, pages } = create(coverage, query);
  return { body, headers: { ...headers(), "x-page": String(page), "x-pages": String(pages) } };
}

/**
 * Returns the format of the media type with the highest weight. If several formats have the same weight, the order is HTML, CSV,
 * JSON. The range for any type stands for JSON. A type with the weight 0 selects nothing.
 */
function formatOf(accept: string): "html" | "csv" | "json" {
  const weights: Record<string, number> = {};
  for (const [, subtype = "", parameters = ""] of accept.toLowerCase().matchAll(/\/([^\s,;]+)([^,]*)/g)) {
    weights[subtype] = Number(/;\s*q=([\d.]+)/.exec(parameters)?.[1] ?? 1);
  }
  const weightOf = (subtype: string) => weights[subtype] ?? 0;
  const [best] = (["html", "csv", "json", "*"] as const)
    .filter((subtype) => weightOf(subtype) > 0)
    .sort((a, b) => weightOf(b) - weightOf(a));
  return best === undefined || best === "*" ? "json" : best;
}

function toHtml(coverage: Coverage, { states, page, parameters }: CoverageQuery): PagedBody {
  const isFiltered = Object.hasOwn(parameters, "states");
  const { html, ...pages } = renderPage(coverage, {
    states: isFiltered ? states : [],
    page,
    maxBytes: MAX_BODY_BYTES,
    restoreCallOf: (resource: ResourceCoverage, point: RestorePoint) =>
      restoreCallOf(coverage.projectId, resource, point),
    link: (other) => linkTo({ ...parameters, format: "html", page: String(other) }),
  });
  return { body: html, ...pages };
}

/** Returns a link with query parameters. A space becomes `%20`, because readers of a query differ in how they read `+`. */
const linkTo = (parameters: Record<string, string>): string =>
  `?${new URLSearchParams(parameters)}`.replaceAll("+", "%20");

/** Renders the coverage report as one HTML document that needs nothing else: no file, no request, no script. */
import {
  type Coverage,
  MAX_ORPHANS,
  RESOURCE_TYPES,
  type ResourceCoverage,
} from "../../../shared/coverage/coverage.ts";
import { bytesOf, escapeHtml, fitHtml, formatCount, formatNumber, formatTime } from "./html.ts";
import { type RowContext, renderCompactRow, renderDetailedRow, TYPE_WORDS } from "./rows.ts";
import { SCRIPT } from "./script.ts";
import { pagePolicy } from "./security-policy.ts";
import { formatVerdict, STATES, worstFirst } from "./states.ts";
import { STYLE } from "./style.ts";

export { headerPolicy } from "./security-policy.ts";

export interface PageOptions {
  /** The states that the table lists. An empty array means all states. */
  states: readonly string[];
  /** The page to render, from 1. Pages are needed only if the report does not fit in `maxBytes`. */
  page: number;
  /** The maximum size of the document in bytes. */
  maxBytes: number;
  /** Returns the API request that restores a resource from a snapshot. */
  restoreCallOf: RowContext["restoreCallOf"];
  /** Returns the address of another page. Without it, the page names the query parameter instead. */
  link?: (page: number) => string;
}

/** The number of resources, worst first, that the page shows with a timeline and restore points. */
export const MAX_DETAILED = 200;
/** The number of rows in a table body. The browser lays out only the table bodies that are visible. */
const ROWS_PER_BODY = 20;
/** The number of faults that the page names. */
const MAX_FAULTS = 50;
/**
 * The maximum size of a row without details, in bytes: 300, but less if all rows then fit in one page. With the minimum, an id,
 * a short name and the beginning of the reason still fit.
 */
const MAX_ROW_BYTES = 300;
const MIN_ROW_BYTES = 240;
/** The share of a row in the tags of its table body, in bytes. */
const BODY_BYTES = 1;
/** The number of links to other pages, and the size of a link without its address, in bytes. */
const LINKS = 4;
const LINK_BYTES = 200;

/**
 * Renders the page of a report. The resources are sorted so the worst are first, over all pages.
 *
 * @returns the document, the number of the page, and the number of pages. A page beyond the last has no rows.
 * @example renderPage(coverage, { states: [], page: 1, maxBytes: 3_500_000, restoreCallOf })
 */
export function renderPage(coverage: Coverage, options: PageOptions): { html: string; page: number; pages: number } {
  const { states, page, maxBytes, restoreCallOf } = options;
  const context = { generatedAt: coverage.generatedAt, maxAgeHours: coverage.maxAgeHours, restoreCallOf };
  const listed = worstFirst(
    states.length === 0 ? coverage.resources : coverage.resources.filter(({ state }) => states.includes(state)),
  );
  const start = renderHead(coverage) + renderFaults(coverage) + renderSummary(coverage) + renderOrphans(coverage);
  const parts = { listed: listed.length, shown: 0, pages: 1, hasDetails: true, ...options };
  const linkBytes = LINKS * (bytesOf(escapeHtml(options.link?.(page) ?? "")) + LINK_BYTES);
  const room = maxBytes - bytesOf(start) - bytesOf(renderTable("", parts)) - linkBytes;
  const detailed = listed.slice(0, MAX_DETAILED).map((resource) => renderDetailedRow(resource, context));
  const compact = listed.slice(MAX_DETAILED);
  const left = room - detailed.reduce((sum, row) => sum + bytesOf(row), 0);
  const rowBytes = Math.min(Math.max(Math.floor(left / compact.length), MIN_ROW_BYTES), MAX_ROW_BYTES);
  let pages = 1;
  let used = 0;
  let rows = "";
  let shown = 0;
  for (let index = 0; index < listed.length; index += 1) {
    const row = detailed[index] ?? renderCompactRow(listed[index] as ResourceCoverage, context, rowBytes - BODY_BYTES);
    const size = bytesOf(row) + BODY_BYTES;
    if (used > 0 && used + size > room) {
      pages += 1;
      used = 0;
    }
    used += size;
    if (pages !== page) continue;
    rows += shown % ROWS_PER_BODY === 0 ? `<tbody>\n${row}` : row;
    shown += 1;
  }
  const table = renderTable(rows, { ...parts, shown, pages, hasDetails: page === 1 });
  return { html: start + table, page, pages };
}

function renderHead(coverage: Coverage): string {
  const verdict = formatVerdict(coverage);
  const { generatedAt, maxAgeHours, projectId } = coverage;
  return `<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta http-equiv=Content-Security-Policy content="${pagePolicy()}">
<meta name=viewport content="width=device-width, initial-scale=1">
<meta name=referrer content=no-referrer>
<title>${verdict} - snapshot coverage</title>
<style>${STYLE}</style>
<header>
<p>Snapshot coverage</p>
<h1>${verdict}</h1>
<p>${formatTime(generatedAt)} · project <i>${fitHtml(projectId, 100)}</i> · A resource is protected if its newest good snapshot is at most ${formatCount(maxAgeHours, "hour")} old.</p>
</header>
<main>
`;
}

/** Renders the bar and the counts, which are also the filter by state. */
function renderSummary({ counts }: Coverage): string {
  const total = STATES.reduce((sum, { state }) => sum + counts[state], 0);
  let x = 0;
  const parts = STATES.filter(({ state }) => counts[state] > 0).map(({ state, className }) => {
    // Even one of 10,000 resources must be visible.
    const width = Math.max((counts[state] / total) * 1_000, 6);
    const part = `<rect class=${className} x=${x.toFixed(1)} width=${Math.max(width - 2, 4).toFixed(1)} height=14 />`;
    x += width;
    return part;
  });
  const items = STATES.map(
    ({ state, className, meaning }) =>
      `<li class="${className}${counts[state] === 0 ? " none" : ""}"><label><b>${formatNumber(counts[state])}</b> <span>${state}</span> ` +
      `<input class=js hidden type=checkbox name=state value=${className}> <small>${meaning}</small></label>`,
  );
  const orphans =
    counts.orphaned === 0
      ? ""
      : `<li class=e><a href="#orphans"><b>${formatNumber(counts.orphaned)}</b> <span>orphaned</span> <small>${counts.orphaned === 1 ? "snapshot" : "snapshots"} of deleted resources</small></a>`;
  const types = RESOURCE_TYPES.map((type) => `<option>${TYPE_WORDS[type]}`).join("");
  return `<form autocomplete=off>
<svg class=bar viewBox="0 0 ${Math.max(x, 1).toFixed(1)} 14" preserveAspectRatio=none aria-hidden=true>${parts.join("")}</svg>
<fieldset><legend><span class=js hidden>Select states to list only these</span></legend>
<ul class=states>
${items.join("\n")}
${orphans}
</ul>
</fieldset>
<div class="tools js" hidden>
<label>Name, id, tag or reason <input name=text type=search></label>
<label>Type <select name=type><option value="">all types${types}</select></label>
<button name=clear type=button hidden>Clear filters</button>
<output></output>
</div>
</form>
`;
}

function renderFaults({ complete, faults }: Coverage): string {
  if (complete && faults.length === 0) return "";
  const items = faults.slice(0, MAX_FAULTS).map((fault) => `<li><bdi>${fitHtml(fault, 1_000)}</bdi>`);
  if (faults.length > MAX_FAULTS) items.push(`<li>and ${faults.length - MAX_FAULTS} more`);
  const title = complete ? "Some entries could not be read" : "This report is incomplete";
  const meaning = complete ? "" : "<p>A resource that the missing part could change is listed as unknown.</p>";
  return `<section class=note role=alert><h2>${title}</h2>${meaning}<ul>${items.join("\n")}</ul></section>\n`;
}

function renderOrphans({ orphans, counts }: Coverage): string {
  if (counts.orphaned === 0) return "";
  const rows = orphans
    .slice(0, MAX_ORPHANS)
    .map(
      ({ kind, id, resourceId, created }) =>
        `<tr><td>${escapeHtml(kind)}<td><i>${fitHtml(id, 100)}</i><td><i>${fitHtml(resourceId, 100)}</i><td>${created === undefined ? "unknown" : formatTime(created)}`,
    );
  const capped =
    counts.orphaned > rows.length ? `<p class=soft>The ${formatNumber(rows.length)} oldest are listed.</p>` : "";
  return `<section><details class=box id=orphans><summary>${formatCount(counts.orphaned, "snapshot")} of deleted disks and clusters</summary>
<p class=soft>The resource of each of these snapshots no longer exists. They still cost money: delete those that you do not need.</p>${capped}
<div role=region aria-label="Orphaned snapshots" tabindex=0><table><thead><tr><th scope=col>Kind<th scope=col>Snapshot<th scope=col>Deleted resource<th scope=col>Created<tbody>
${rows.join("\n")}
</table></div></details></section>
`;
}

interface TableContext extends PageOptions {
  listed: number;
  shown: number;
  pages: number;
  hasDetails: boolean;
}

const COLUMNS: readonly { title: string; sort?: string }[] = [
  { title: "State", sort: "place" },
  { title: "Resource", sort: "text" },
  { title: "Type", sort: "text" },
  { title: "Size (GB)", sort: "number" },
  { title: "Newest good", sort: "number" },
  { title: "Good", sort: "number" },
  { title: "Failed", sort: "number" },
  { title: "Reason and restore points" },
  { title: "Last 30 days", sort: "days" },
];

const renderShape = (top: number, height: number, shape: string) =>
  `<svg viewBox="0 ${top} 6 ${height}" width=6 height=${height} aria-hidden=true>${shape}</svg>`;

const KEY = `<p class=key><span>${renderShape(0, 12, '<path class=g d="M3 0v12"/>')} good</span>
<span>${renderShape(13, 6, '<path class=c d="M1 14h4v4h-4z"/>')} being created</span>
<span>${renderShape(20, 7, '<path class=x d="M.5 20.5l5 6m0-6l-5 6"/>')} failed</span>
<span>One column per day, today on the right.</span></p>`;

function renderTable(rows: string, context: TableContext): string {
  const { listed, shown, pages, page, states, hasDetails } = context;
  const notes = [
    states.length > 0 ? `Only these states are listed: ${states.map((state) => escapeHtml(state)).join(", ")}.` : "",
    pages > 1 ? `Page ${page} of ${pages}. Filters and sorting apply to this page.` : "",
    listed > MAX_DETAILED
      ? `Timelines and restore points are shown for the ${MAX_DETAILED} worst resources${hasDetails ? "" : ", on page 1"}. For the others, request the report with <code>format=json</code> and search for the id.`
      : "",
  ].filter((note) => note !== "");
  const headings = COLUMNS.map(({ title, sort }, index) =>
    sort === undefined
      ? `<th scope=col class=sr>${title}`
      : `<th scope=col data-sort=${sort}${index === 0 ? " aria-sort=ascending" : ""}>${title}`,
  ).join("");
  const message =
    listed === 0
      ? "There is no resource to list."
      : shown === 0
        ? `This page does not exist. The last page is ${pages}.`
        : "";
  return `<noscript><p>Filters and sorting need JavaScript. The table is complete without it, worst first.</p></noscript>
<table id=list data-rows=${ROWS_PER_BODY}><caption>${formatCount(shown, "resource")}. ${notes.join(" ")}${shown > 0 && hasDetails ? KEY : ""}</caption>
<thead><tr>${headings}${rows}</table>
<p id=empty class=note${message === "" ? " hidden" : ""}>${message || "No resource matches the filters."}</p>
${renderLinks(context)}</main>
<script>${SCRIPT}</script>
</html>
`;
}

function renderLinks({ pages, page, link }: TableContext): string {
  if (pages === 1) return "";
  const numbers = [...new Set([1, page - 1, page + 1, pages])].filter(
    (number) => number >= 1 && number <= pages && number !== page,
  );
  const links = numbers.map((number) =>
    link === undefined ? `page=${number}` : `<a href="${escapeHtml(link(number))}">Page ${number}</a>`,
  );
  return `<nav aria-label=Pages>Page ${page} of ${pages}. More: ${links.join(" · ")}</nav>\n`;
}

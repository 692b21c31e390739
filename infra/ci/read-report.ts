import { setTimeout as sleep } from "node:timers/promises";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import { preview } from "../../shared/core/preview.ts";
import { COVERAGE_STATES } from "../../shared/coverage/coverage.ts";
import type { HttpResponse, Transport } from "../../shared/huaweicloud/http/transport.ts";
import { getText } from "./call.ts";
import {
  DECISION_BY_REASON,
  describeFailure,
  errorIn,
  interpretFailedCall,
  parseObject,
} from "./interpret-response.ts";
import type { ReportFormat, ReportOptions } from "./report-options.ts";

/** The number of resources in each state, and of orphaned snapshots. */
export type Counts = Record<(typeof COVERAGE_STATES)[number] | "orphaned", number>;

/** A report in JSON, joined from its pages. */
export interface Report extends JsonObject {
  complete: boolean;
  faults: string[];
  counts: Counts;
  resources: JsonObject[];
}

/** The report could not be read. */
export class ReadFailure extends Error {
  /** True if the caller must correct an option. */
  readonly isWrongOption: boolean;
  constructor(message: string, isWrongOption = false) {
    super(message);
    this.isWrongOption = isWrongOption;
  }
}

/** The timeout of one request in milliseconds. It is longer than the 60 s after which the gateway itself times out. */
const CALL_MS = 65_000;
/** The number of times that the client sends a request if the failure may disappear. */
const MAX_ATTEMPTS = 3;
/** The pause before the next attempt, in milliseconds, if the response has no `Retry-After`. */
const PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 60_000;
/** The number of times that the client reads all pages, because resources can appear and disappear in between. */
const MAX_READS = 3;

/** Sends a request until a success response arrives. Returns its text and its number of pages. */
export type PageReader = (format: ReportFormat, query: Record<string, string>) => Promise<HttpResponse>;

/** Returns a function that requests one page of a report in a format. The function throws a ReadFailure. */
export function createPageReader(transport: Transport, { url, credentials }: ReportOptions): PageReader {
  return async (format, query) => {
    for (let attempt = 1; ; attempt += 1) {
      let summary: string;
      let retryAfterMs = PAUSE_MS;
      try {
        const response = await getText(transport, url, credentials, { ...query, format }, CALL_MS);
        if (response.status === 200) return response;
        throwIfFinal(response);
        summary = describeFailure(response.status, response.text, parseObject(response.text));
        const seconds = Number(response.headers["retry-after"]);
        if (seconds > 0) retryAfterMs = Math.min(seconds * 1_000, MAX_PAUSE_MS);
      } catch (thrown) {
        if (thrown instanceof ReadFailure) throw thrown;
        const verdict = interpretFailedCall((thrown as Error).message);
        if (verdict.decision === "badInput" && !verdict.isTransient) throw new ReadFailure(verdict.summary, true);
        summary = verdict.summary;
      }
      if (attempt === MAX_ATTEMPTS)
        throw new ReadFailure(`${summary.replace(/\.$/, "")}. The client tried ${MAX_ATTEMPTS} times.`);
      await sleep(retryAfterMs);
    }
  };
}

/** Throws a ReadFailure for a response that another request would not change. */
function throwIfFinal({ status, text }: HttpResponse): void {
  const body = parseObject(text);
  const decision = DECISION_BY_REASON.get(errorIn(body).reason);
  const summary = describeFailure(status, text, body);
  if (status === 400) throw new ReadFailure(summary, true);
  if (decision === undefined && (status === 401 || status === 403)) {
    throw new ReadFailure(`${summary}. Check the credentials, and whether the API authorizes this caller.`, true);
  }
  if (decision === "wait" || status === 408 || status === 429) return;
  if (decision !== undefined) throw new ReadFailure(summary);
  if (status < 500) throw new ReadFailure(`${summary}. report-coverage did not send this response: check --url.`, true);
}

/**
 * Reads all pages of a report in JSON. Each page is a report of its own, so the pages fit together only if no resource appeared
 * or disappeared in between. If they do not fit together, the client reads all of them again.
 *
 * @throws {ReadFailure} when the report cannot be read, or is not credible
 */
export async function readReport(read: PageReader, query: Record<string, string>): Promise<Report> {
  for (let reads = 1; reads <= MAX_READS; reads += 1) {
    const pages: Report[] = [];
    do {
      const { text } = await read("json", { ...query, page: String(pages.length + 1) });
      pages.push(toReport(text, pages.length + 1));
    } while (pages.length < Number(pages[0]?.pages));
    const joined = join(pages, query);
    if (joined !== undefined) return joined;
  }
  throw new ReadFailure(`The resources of the project changed ${MAX_READS} times while the client read the pages.`);
}

function toReport(text: string, page: number): Report {
  const body = parseObject(text);
  const { counts, resources, complete, faults, pages } = body;
  const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
  const wrong = !isObject(counts)
    ? "counts"
    : ([...COVERAGE_STATES, "orphaned"].find((state) => !isCount(counts[state])) ??
      (typeof complete !== "boolean" ? "complete" : undefined) ??
      (!Array.isArray(faults) || faults.some((fault) => typeof fault !== "string") ? "faults" : undefined) ??
      (!Array.isArray(resources) || !resources.every(isResource) ? "resources" : undefined) ??
      (body.page !== page ? "page" : undefined) ??
      (isCount(pages) && Number(pages) > 0 ? undefined : "pages"));
  if (wrong === undefined) return body as Report;
  throw new ReadFailure(`The response is not a report of report-coverage: ${preview(text)} has no valid "${wrong}".`);
}

const isResource = (value: unknown): boolean =>
  isObject(value) && typeof value.id === "string" && (COVERAGE_STATES as readonly unknown[]).includes(value.state);

/** Joins the pages of a report. Returns undefined if they do not fit together. */
function join(pages: readonly Report[], query: Record<string, string>): Report | undefined {
  const [first] = pages as [Report];
  const resources = pages.flatMap((page) => page.resources);
  const states = COVERAGE_STATES.filter((state) => query.states?.split(",").includes(state) ?? true);
  const isWhole = pages.every(({ counts }) => sumOf(counts, states) === resources.length);
  const ids = new Set(resources.map(({ type, id }) => `${type} ${id}`));
  if (!isWhole || ids.size < resources.length) return undefined;
  // A state can change between two pages, so the counts are those of the joined resources.
  const counts = { ...first.counts };
  for (const state of states) counts[state] = resources.filter((resource) => resource.state === state).length;
  return {
    ...first,
    complete: pages.every(({ complete }) => complete),
    faults: [...new Set(pages.flatMap(({ faults }) => faults))],
    counts,
    resources,
    page: 1,
    pages: 1,
  };
}

const sumOf = (counts: Counts, states: readonly (keyof Counts)[]): number =>
  states.reduce((sum, state) => sum + counts[state], 0);

/** How a page of each format begins. A login page of a proxy does not begin like this. */
const STARTS = { html: "<!doctype html>", csv: "type,id,name,state," } as const;

/**
 * Reads all pages of a report in HTML or CSV.
 *
 * @throws {ReadFailure} when a page cannot be read, or is not credible
 */
export async function readPages(
  read: PageReader,
  format: "html" | "csv",
  query: Record<string, string>,
): Promise<string[]> {
  const texts: string[] = [];
  let pages = 1;
  while (texts.length < pages) {
    const { text, headers } = await read(format, { ...query, page: String(texts.length + 1) });
    pages = Number(headers["x-pages"]);
    if (!text.startsWith(STARTS[format]) || !Number.isInteger(pages) || pages < 1) {
      throw new ReadFailure(`The response is not a report of report-coverage in ${format}: ${preview(text)}.`);
    }
    texts.push(text);
  }
  return texts;
}

/** Joins the pages of a report in CSV: the headings and the lines about faults appear once. */
export function joinCsv(pages: readonly string[]): string {
  const lines = pages.flatMap((page) => page.split("\r\n").filter((line) => line !== ""));
  const seen = new Set<string>();
  const kept = lines.filter((line) => {
    const isRepeated = seen.has(line);
    seen.add(line);
    return !isRepeated;
  });
  return kept.map((line) => `${line}\r\n`).join("");
}

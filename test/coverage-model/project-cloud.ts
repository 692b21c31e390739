/** Returns the list responses of an project, and remembers which rows they contained. */
import { instant } from "../../shared/core/instant.ts";
import type { RetryBudget } from "../../shared/core/retry.ts";
import { createRateLimiter } from "../../shared/huaweicloud/http/rate-limiter.ts";
import type { Connection } from "../../shared/huaweicloud/http/sdk-client.ts";
import type { HttpRequest, HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
import { countSnapshots, type ListName, type Project, type ProjectList, type Raw } from "./project.ts";

/** The last part of the path of a list request, and the array in its response. */
const ROUTES: [path: RegExp, name: ListName, array: string][] = [
  [/^\/v2\/[^/]+\/cloudvolumes\/detail$/, "disks", "volumes"],
  [/^\/v1\.0\/[^/]+\/clusters$/, "clusters", "clusters"],
  [/^\/v2\/[^/]+\/cloudsnapshots\/detail$/, "snapshot", "snapshots"],
  [/^\/v5\/[^/]+\/snapshots\/detail$/, "standard-snapshot", "snapshots"],
  [/^\/v5\/[^/]+\/snapshot-groups\/detail$/, "snapshot-group", "snapshot_groups"],
  [/^\/v1\.0\/[^/]+\/snapshots$/, "cluster-snapshot", "snapshots"],
];

export interface ProjectCloud {
  connection: Connection;
  retryBudget: RetryBudget;
  /** The rows that responses contained. */
  delivered: ReadonlyMap<ListName, ReadonlySet<Raw>>;
  /** Returns the lists of which a response was missing or lacked rows. */
  incomplete(): Set<ListName>;
  /** The requests that were sent, such as `GET snapshot`. */
  requests: string[];
}

export function createProjectCloud(project: Project): ProjectCloud {
  const delivered = new Map<ListName, Set<Raw>>();
  const requests: string[] = [];
  /** The number of pages of each list that were returned since its first page. */
  const answered = new Map<ListName, number>();
  const failed = new Set<ListName>();
  let elapsed = 0;
  const start = Date.parse(project.now);
  const time = {
    now: () => instant(start + elapsed),
    async sleep(milliseconds: number, work?: Promise<unknown>) {
      if (work === undefined) elapsed += milliseconds;
      else await work;
    },
    random: () => 0.5,
  };

  async function transport({ method, url }: HttpRequest): Promise<HttpResponse> {
    const route = ROUTES.find(([path]) => path.test(url.pathname));
    if (route === undefined) throw new Error(`No list has the path ${url.pathname}.`);
    const [, name, array] = route;
    requests.push(`${method} ${name}`);
    const list = project.lists[name];
    const isPaged = name !== "clusters" && name !== "cluster-snapshot";
    const page = isPaged && url.searchParams.get("offset") === "0" ? 0 : (answered.get(name) ?? 0);
    const isFirstTry = !failed.has(name);
    const failure = failureOf(list, page, isPaged, isFirstTry);
    if (failure !== undefined) {
      failed.add(name);
      return failure;
    }
    answered.set(name, page + 1);
    const rows = isPaged ? cutPage(list, url.searchParams) : visibleRows(list);
    const seen = delivered.get(name) ?? new Set();
    delivered.set(name, seen);
    for (const row of rows) seen.add(row);
    return respond(200, { [array]: rows, ...(list.hasCount && { count: countSnapshots(list.rows) }) });
  }

  const deadline = instant(start + 900_000);
  const isIncomplete = (name: ListName) => {
    const list = project.lists[name];
    const { type } = list.fault;
    // A hidden row can be listed again.
    if (type === "hidden") return countSnapshots(visibleRows(list)) < countSnapshots(list.rows);
    // A first page that has every id leaves out nothing, even if every other page repeats it.
    if (type === "endless") return countSnapshots(list.rows.slice(0, list.pageRows)) < countSnapshots(list.rows);
    return type !== "once" && failed.has(name);
  };
  return {
    delivered,
    incomplete: () => new Set([...delivered.keys(), ...failed].filter(isIncomplete)),
    requests,
    retryBudget: { time, deadline },
    connection: {
      transport,
      credentials: { token: "token" },
      projectId: "project-1",
      endpoint: (service) => `https://${service.toLowerCase()}.example.com`,
      timeoutMs: 10_000,
      now: time.now,
      sleep: time.sleep,
      limiter: createRateLimiter(time),
      deadline,
    },
  };
}

const respond = (status: number, body: unknown): HttpResponse => ({ status, headers: {}, text: JSON.stringify(body) });

function failureOf(
  { fault }: ProjectList,
  page: number,
  isPaged: boolean,
  isFirstTry: boolean,
): HttpResponse | undefined {
  if (fault.type === "unsupported")
    return respond(404, { error_code: "APIGW.0101", error_msg: "The API does not exist" });
  if (!("page" in fault) || (isPaged && page < fault.page)) return undefined;
  switch (fault.type) {
    case "once":
      return isFirstTry ? respond(503, { error_msg: "unavailable" }) : undefined;
    case "error":
      return respond(503, { error_msg: "unavailable" });
    case "denied":
      return respond(403, { error_code: "EVS.0002", error_msg: "Policy does not allow it" });
    case "malformed":
      return respond(200, { rows: [] });
  }
}

const visibleRows = ({ rows, fault }: ProjectList): Raw[] =>
  fault.type === "hidden" ? [...rows.slice(0, fault.from), ...rows.slice(fault.from + fault.count)] : rows;

function cutPage(list: ProjectList, query: URLSearchParams): Raw[] {
  const [offset, limit] = ["offset", "limit"].map((name) => Number(query.get(name)));
  const from = list.fault.type === "endless" ? 0 : (offset ?? 0);
  return visibleRows(list).slice(from, from + Math.min(limit ?? 0, list.pageRows));
}

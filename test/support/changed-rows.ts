/** Changes the rows of list responses, as a service with other data would. */
import type { Runtime } from "../../shared/middleware/runtime.ts";
import type { Json } from "./environment.ts";

/** Changes a row of a list response. The result `undefined` removes the row. */
export type RowChange = (row: Json) => Json | undefined;

/**
 * Wraps the transport of a runtime. Returns a function that changes each row in a field of all later list responses. A second
 * call for the same field replaces the first change.
 */
export function changeRowsOf(runtime: Pick<Runtime, "transport">): (field: string, change: RowChange) => void {
  const changes: [field: string, change: RowChange][] = [];
  const { transport } = runtime;
  runtime.transport = async (request) => {
    const response = await transport(request);
    if (request.method !== "GET" || changes.length === 0) return response;
    return { ...response, text: changeRows(response.text, changes) };
  };
  return (field, change) => void changes.unshift([field, change]);
}

/** Returns the body of a list response with changed rows. For each field, only the first of its `changes` applies. */
function changeRows(text: string, changes: [field: string, change: RowChange][]): string {
  const body = JSON.parse(text);
  for (const field of Object.keys(body)) {
    const change = changes.find(([name]) => name === field)?.[1];
    if (!Array.isArray(body[field]) || change === undefined) continue;
    body[field] = body[field].map(change).filter((row: unknown) => row !== undefined);
    if ("count" in body) body.count = body[field].length;
  }
  return JSON.stringify(body);
}

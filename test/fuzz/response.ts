/** Creates random responses. Each random response is a fault of the embedded cloud with a description. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import type { Json } from "./mutate.ts";
import type { Random } from "./random.ts";

/** The values that the random responses of a case contain. */
export interface Material {
  random: Random;
  /** The ids of resources and snapshots in the embedded cloud. */
  ids: readonly string[];
  secrets: Readonly<Record<string, string>>;
  /** The operation name of the call, such as `evs.createSnapshot`. */
  operation: string;
}

/** A fault with a description for the report. `body` collects the sent bodies, one per line. */
export interface FuzzedResponse {
  how: string;
  fault: Fault;
  body?: string;
  /** All ids in the sent bodies that were too long for `body`, which contains only the beginning of such a body. */
  ids?: Set<string>;
}

/** The maximum length in characters of `FuzzedResponse.body`. */
const MAX_KEPT = 512 * 1024;
const ID = /"(?:id|snapshot_id|snapshot_group_id)":"([^"\\]{1,64})"/g;

function keepBody(response: FuzzedResponse, body: string): void {
  const before = response.body === undefined ? "" : `${response.body}\n`;
  if (body.length > MAX_KEPT) {
    response.ids ??= new Set();
    for (const [, id] of body.matchAll(ID)) response.ids.add(id as string);
  }
  response.body = `${before}${body.slice(0, MAX_KEPT)}`.slice(0, MAX_KEPT);
}

/** Creates a fault that sends the embedded cloud's own response with a changed body. */
export function editing(how: string, edit: (body: Json | undefined) => Json | undefined): FuzzedResponse {
  const response: FuzzedResponse = {
    how,
    fault: {
      type: "edit",
      edit: (body: Json | undefined) => {
        const edited = edit(body) ?? null;
        keepBody(response, JSON.stringify(edited));
        return edited;
      },
    },
  };
  return response;
}

/**
 * Creates a fault that sends the given status and body. If `after`, the embedded cloud processes the request first, otherwise
 * never.
 */
export function sending(
  how: string,
  { status, headers = {}, body }: { status: number; headers?: Record<string, string>; body: string | (() => string) },
  after: boolean,
): FuzzedResponse {
  const response: FuzzedResponse = {
    how: `${how}: ${status} ${JSON.stringify(headers).slice(0, 300)}, ${after ? "after" : "before"} processing`,
    fault: {
      type: "status",
      status,
      headers,
      after,
      get body() {
        const text = typeof body === "string" ? body : body();
        keepBody(response, text);
        return text;
      },
    },
  };
  return response;
}

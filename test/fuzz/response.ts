/** Defines a random response: a fault of the embedded cloud, and its description. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import type { Json } from "./mutate.ts";
import type { Random } from "./random.ts";

/** The input for the random responses of a case. */
export interface Material {
  random: Random;
  /** The ids of the resources and snapshots in the cloud. */
  ids: readonly string[];
  secrets: Readonly<Record<string, string>>;
  /** The cloud's name of the call, such as `evs.createSnapshot`. */
  operation: string;
}

/** A fault and its description for the report. `body` has the bodies that were sent, one per line. */
export interface FuzzedResponse {
  how: string;
  fault: Fault;
  body?: string;
  /** All ids in the bodies, if a body was too long to keep. */
  ids?: Set<string>;
}

/** How many characters of all bodies are kept. */
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

/** Makes a fault that changes the cloud's own response. */
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

/** Makes a fault that sends another status and body, before or after the cloud processes the request. */
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

/** One random response: a fault of the embedded cloud, and what it says. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import type { Json } from "./mutate.ts";
import type { Random } from "./random.ts";

/** What the responses of one case are made of. */
export interface Material {
  random: Random;
  /** Ids of what there is in the cloud. */
  ids: readonly string[];
  secrets: Readonly<Record<string, string>>;
  /** The cloud's name of the call, such as `evs.createSnapshot`. */
  operation: string;
}

/** A fault with what it says, for the report. `body` is there once the fault has hit a request. */
export interface FuzzedResponse {
  how: string;
  fault: Fault;
  body?: string;
}

/** So much of a body is kept. */
const MAX_KEPT = 512 * 1024;

/** Makes a fault that changes the cloud's own response. */
export function editing(how: string, edit: (body: Json | undefined) => Json | undefined): FuzzedResponse {
  const response: FuzzedResponse = {
    how,
    fault: {
      type: "edit",
      edit: (body: Json | undefined) => {
        const edited = edit(body) ?? null;
        response.body = JSON.stringify(edited).slice(0, MAX_KEPT);
        return edited;
      },
    },
  };
  return response;
}

/** Makes a fault that sends another status and body, before or after the work. */
export function sending(
  how: string,
  { status, headers = {}, body }: { status: number; headers?: Record<string, string>; body: string | (() => string) },
  after: boolean,
): FuzzedResponse {
  const response: FuzzedResponse = {
    how: `${how}: ${status} ${JSON.stringify(headers).slice(0, 300)}, ${after ? "after" : "before"} the work`,
    fault: {
      type: "status",
      status,
      headers,
      after,
      get body() {
        const text = typeof body === "string" ? body : body();
        response.body = text.slice(0, MAX_KEPT);
        return text;
      },
    },
  };
  return response;
}

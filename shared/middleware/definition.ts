import type { JsonObject } from "../core/json.ts";
import type { CloudCall } from "../huaweicloud/calls.generated.ts";

/**
 * Describes a function for deployment and documentation. Each `functions/<name>/function.ts` exports one as `definition`,
 * and `npm run generate` creates Terraform data and the OpenAPI document from all definitions.
 *
 * A definition must be plain data and must not call a function. Only then does the bundler remove it from the bundle of the
 * function, which needs nothing but `name`.
 */
export interface FunctionDefinition {
  /** The name of the function and of its folder. */
  readonly name: string;
  /** What the function does, in one sentence. */
  readonly summary: string;
  readonly trigger: FunctionTrigger;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** The maximum number of instances that run at the same time. Default: no maximum. */
  readonly maxInstances?: number;
  /**
   * Every cloud API call that the function may send, because the function needs a permission for each. `lts.reportLogs` is
   * not listed, because all functions deliver their records with it.
   */
  readonly calls: readonly (CloudCall | EveryKindCall)[];
  /**
   * The calls that other functions send for the kind of snapshot that this function creates. `every-kind.list` in another
   * function's `calls`, for example, includes the calls in `list` here.
   */
  readonly kindCalls?: Readonly<Record<CallPurpose, readonly CloudCall[]>>;
  /** The operation in the OpenAPI document. Only HTTP functions have one. */
  readonly operation?: OpenApiOperation;
}

/**
 * What starts a function. If `acceptsDirectCalls` is true, the function also accepts the body of an HTTP request as its
 * event.
 */
export type FunctionTrigger =
  | { readonly type: "http"; readonly method: "POST" | "GET"; readonly acceptsDirectCalls?: true }
  | { readonly type: "timer" }
  | { readonly type: "cts" };

/**
 * What a call does for one kind of snapshot: list the resources, list the snapshots, create a snapshot, or delete a
 * snapshot.
 */
export type CallPurpose = "resources" | "list" | "create" | "delete";
/** Stands for the calls of all kinds of snapshots with one purpose, such as `every-kind.list`. */
export type EveryKindCall = `every-kind.${CallPurpose}`;

/** The handwritten part of an OpenAPI operation. The rest is generated from the schema of the body and from `REASONS`. */
export interface OpenApiOperation {
  /** The title of the operation in the list of operations. */
  readonly title: string;
  readonly description: string;
  /** The name of the request body's schema in the OpenAPI document. */
  readonly schema: string;
  /** An example of a request body. */
  readonly example: JsonObject;
  /** The responses by HTTP status, without the error responses that all functions share. */
  readonly responses: Readonly<Record<number, OpenApiResponse>>;
}

/** The handwritten part of a response in the OpenAPI document. */
export interface OpenApiResponse {
  /** Describes the response. Default: the text for an accepted request. */
  readonly description?: string;
  /** The schema of the response body. Default: the schema for the progress of a deployment. */
  readonly schema?: JsonObject;
  readonly example: JsonObject;
}

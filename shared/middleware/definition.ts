import type { Reason } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { CloudCall } from "../huaweicloud/calls.generated.ts";

/**
 * Describes a function for deployment and documentation. Each `functions/<name>/function.ts` exports a `definition` of this
 * type. `npm run generate` creates Terraform data and the OpenAPI document from all definitions.
 *
 * A definition must be plain data and must not call a function, because the bundler can then remove the definition from the
 * bundle of the function. The bundle needs only `name`.
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
   * Every API call that the function can send. The function needs a permission for each call. `lts.reportLogs` is omitted,
   * because every function sends it.
   */
  readonly calls: readonly (CloudCall | EveryKindCall)[];
  /**
   * The calls that functions for all kinds of snapshots send for the kind that this function creates. For example, a
   * function with `every-kind.list` in its `calls` sends the calls in `kindCalls.list` of every definition.
   */
  readonly kindCalls?: Readonly<Record<CallPurpose, readonly CloudCall[]>>;
  /** The operation in the OpenAPI document. Undefined unless the trigger is HTTP. */
  readonly operation?: OpenApiOperation;
}

/**
 * What starts a function. If `acceptsDirectCalls` is true, a caller can also invoke the function without HTTP, with a
 * request body as the event. If `hasTimer` is true, a timer also starts the function.
 */
export type FunctionTrigger =
  | { readonly type: "http"; readonly method: "POST"; readonly acceptsDirectCalls?: true }
  | { readonly type: "http"; readonly method: "GET"; readonly hasTimer?: true }
  | { readonly type: "timer" }
  | { readonly type: "cts" };

/**
 * What a call does for one kind of snapshot: list the resources, list the snapshots, create a snapshot, or delete a
 * snapshot.
 */
export type CallPurpose = "resources" | "list" | "create" | "delete";
/**
 * A placeholder for the calls that have the same purpose for the different kinds of snapshots. For example,
 * `every-kind.list` stands for every call that lists snapshots of any kind.
 */
export type EveryKindCall = `every-kind.${CallPurpose}`;

/** The handwritten part of an OpenAPI operation. The rest is generated from the schema of the request and from `REASONS`. */
export type OpenApiOperation = BodyOperation | QueryOperation;

interface Operation {
  /** The title of the operation in the list of operations. */
  readonly title: string;
  readonly description: string;
  /** The responses by HTTP status, without the error responses that all functions share. */
  readonly responses: Readonly<Record<number, OpenApiResponse>>;
}

/** An operation with a request body: POST. */
interface BodyOperation extends Operation {
  /** The name of the request body's schema in the OpenAPI document. */
  readonly schema: string;
  /** An example of a request body. */
  readonly example: JsonObject;
  readonly parameters?: undefined;
}

/** An operation with query parameters: GET. The document contains the schema of each parameter from `schema.ts`. */
interface QueryOperation extends Operation {
  /** Describes each query parameter. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** The handwritten part of a response in the OpenAPI document. */
export interface OpenApiResponse {
  /**
   * Describes the response. By default, the response of a `create-*` function is described as an accepted request. All
   * other functions must set this field.
   */
  readonly description?: string;
  /** The schema of the response body. Default: the schema for the response of pre-deploy. */
  readonly schema?: JsonObject;
  /** The possible reasons of an error. The response body then describes an error. */
  readonly reasons?: readonly Reason[];
  readonly example: JsonObject;
  /** The names of headers in `components.headers`, in addition to the headers that all responses have. */
  readonly headers?: readonly string[];
  /** An example of the body for each content type that a caller can choose instead of JSON. */
  readonly alternatives?: Readonly<Record<string, string>>;
}

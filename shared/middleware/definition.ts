import type { JsonObject } from "../core/json.ts";
import type { CloudCall } from "../huaweicloud/calls.generated.ts";

/**
 * What a function is: the object that `functions/<name>/function.ts` exports as `definition`. Deployment and documents are
 * generated from it. The program needs nothing but the name, which `function.ts` exports by itself, so a bundle does not contain
 * the definition. A bundler removes an unused object only if the object is plain data: a definition must not call a function.
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
   * Every call that the function may make, and therefore needs a right for. All functions also report their records to the
   * logging topic (`lts.reportLogs`).
   */
  readonly calls: readonly (CloudCall | EveryKindCall)[];
  /** The calls that other functions make for the kind that this function creates: what `every-kind.<purpose>` means. */
  readonly kindCalls?: Readonly<Record<CallPurpose, readonly CloudCall[]>>;
  /** The operation in the OpenAPI document, for HTTP functions. */
  readonly operation?: OpenApiOperation;
}

/** What starts a function. `acceptsDirectCalls`: the function also accepts the body of an HTTP request as its event. */
export type FunctionTrigger =
  | { readonly type: "http"; readonly method: "POST" | "GET"; readonly acceptsDirectCalls?: true }
  | { readonly type: "timer" }
  | { readonly type: "cts" };

/** Lists the resources of a kind, lists its snapshots, creates one, or deletes one. */
export type CallPurpose = "resources" | "list" | "create" | "delete";
/** The calls of every kind for one purpose. */
export type EveryKindCall = `every-kind.${CallPurpose}`;

/** The part of an OpenAPI operation that is not generated from the schema of the body and the catalogue of errors. */
export interface OpenApiOperation {
  /** One line for the list of operations. */
  readonly title: string;
  readonly description: string;
  /** The name of the body's schema in the document. */
  readonly schema: string;
  /** An example of a body. */
  readonly example: JsonObject;
  /** The responses by HTTP status, in addition to the errors that all functions have in common. */
  readonly responses: Readonly<Record<number, OpenApiResponse>>;
}

export interface OpenApiResponse {
  /** Default: the request was accepted. */
  readonly description?: string;
  /** Default: the progress of a deployment. */
  readonly schema?: JsonObject;
  readonly example: JsonObject;
}

/**
 * Defines the lines that the runner and a driver exchange. A driver is a program that sends requests with one official client.
 * The runner writes one JSON object per line to the standard input of the driver: a `ClientRequest`, or an object whose field
 * `describe` is an array of pairs of a service and an operation. The driver replies to each line with one line on its standard
 * output: a `Reply`, or a `Description`.
 */

export type ServiceName = "evs" | "dws" | "ecs";

/** The access key with which a client signs a request. */
export interface AccessKey {
  ak: string;
  sk: string;
  securityToken: string | undefined;
}

/** One call of a method of an official client. */
export interface ClientRequest {
  service: ServiceName;
  /** The name of the operation in the documents of the cloud, such as `ShowSnapshot`. */
  operation: string;
  /** The fields of the request class of the SDK, by their names on the wire. The field `body` is the request body. */
  request: Record<string, unknown>;
  credentials: AccessKey;
}

/** What the client returned or raised. */
export interface Reply {
  /** Whether the client has no method for the operation. */
  unsupported?: true;
  /** The message of an exception that is not an error response of the cloud. */
  error?: string;
  status?: number;
  /** The error code, as the client read it from an error response. */
  code?: string;
  /** The response body, as the client received it. */
  body?: string;
}

/** The type of the response of one operation. Only the Python driver fills in `method` and `path`. */
export interface Operation {
  method?: string;
  path?: string;
  /** The name of a model. */
  response: string;
}

/**
 * The models of an SDK. A model maps each field to its type: `string`, `integer`, `number`, `boolean`, `any`, the name of a model,
 * `[type]` for an array, or `{type}` for an object whose values have this type. The type of a required field ends with `!`.
 */
export interface Description {
  operations: Record<string, Operation>;
  models: Record<string, Record<string, string>>;
}

/** Sends one request. */
export type Send = (request: ClientRequest) => Promise<Reply>;

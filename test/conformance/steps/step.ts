/** Defines the steps of the conformance scenario. */
import type { ServiceName } from "../protocol.ts";

/** One request of the scenario, and the response that it must get. */
export interface Step {
  service: ServiceName;
  operation: string;
  /**
   * The fields of the request, by their names on the wire. In a string, `$name` stands for the value of the variable `name`. See
   * `createVariables` in `../scenario.ts`, and `keep`.
   */
  request: Record<string, unknown>;
  status: number;
  /** The error code of the expected error response. */
  code?: string;
  /** Maps the name of a variable to the path of the response field whose value it gets, such as `snapshot.id`. */
  keep?: Record<string, string>;
  /** The number of items in the array that the response contains. */
  rows?: number;
  /** How far the clock of the embedded cloud advances before the request, in milliseconds. */
  advanceMs?: number;
  /** The access key that signs the request. Default: a valid access key. */
  key?: "unknown" | "wrong secret";
}

type Expected = Omit<Step, "service" | "operation" | "request">;

/** Returns a function that creates steps of one service. */
export function stepsOf(service: ServiceName) {
  return (operation: string, request: Record<string, unknown>, expected: Expected): Step => ({
    service,
    operation,
    request,
    ...expected,
  });
}

/** Returns two steps of one operation: one with an unknown access key, and one with a wrong secret key. */
export function refusedKeys(service: ServiceName, operation: string): Step[] {
  const keys = ["unknown", "wrong secret"] as const;
  return keys.map((key) => ({ service, operation, request: {}, status: 401, code: "APIGW.0301", key }));
}

/** Returns one step for each pair of query parameters and the number of rows that the response has with them. */
export function filters(
  service: ServiceName,
  operation: string,
  cases: [query: Record<string, unknown>, rows: number][],
): Step[] {
  return cases.map(([request, rows]) => ({ service, operation, request, status: 200, rows }));
}

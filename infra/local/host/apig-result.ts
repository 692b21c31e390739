/** The result that a function must return to the API gateway (SOURCES.md#functiongraph-apig-response). */
export interface ApigResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

const MEMBERS = ["statusCode", "headers", "body", "isBase64Encoded"];

/**
 * Returns the faults of a result, or an empty array if it has exactly the documented shape. The platform may accept a result
 * with a missing member, but no document promises this.
 */
export function resultFaults(result: unknown): string[] {
  if (!isObject(result)) return [`expected an object, got ${result === null ? "null" : typeof result}`];
  const faults: string[] = [];
  const { statusCode, headers, body, isBase64Encoded } = result;
  if (!Number.isInteger(statusCode) || Number(statusCode) < 200 || Number(statusCode) > 599) {
    faults.push("statusCode is not an HTTP status");
  }
  if (!isObject(headers) || Object.values(headers).some((value) => typeof value !== "string")) {
    faults.push("headers is not an object of strings");
  }
  if (typeof body !== "string") faults.push("body is not a string");
  if (typeof isBase64Encoded !== "boolean") faults.push("isBase64Encoded is not a boolean");
  for (const name of Object.keys(result)) if (!MEMBERS.includes(name)) faults.push(`unknown member "${name}"`);
  return faults;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

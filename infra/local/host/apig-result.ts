/** The result that a function must return to the API gateway (SOURCES.md#functiongraph-apig-response). */
export interface ApigResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

const FIELD_NAMES = ["statusCode", "headers", "body", "isBase64Encoded"];

/**
 * Returns a description of each difference between the result of a function and the documented shape. Also reports a missing
 * field, because no document says that the platform accepts a result without it.
 */
export function resultFaults(result: unknown): string[] {
  if (!isObject(result)) return [`the result is not an object but ${result === null ? "null" : `a ${typeof result}`}`];
  const faults: string[] = [];
  const { statusCode, headers, body, isBase64Encoded } = result;
  if (!Number.isInteger(statusCode) || Number(statusCode) < 200 || Number(statusCode) > 599) {
    faults.push("statusCode must be an integer from 200 to 599");
  }
  if (!isObject(headers) || Object.values(headers).some((value) => typeof value !== "string")) {
    faults.push("headers must be an object with string values");
  }
  if (typeof body !== "string") faults.push("body must be a string");
  if (typeof isBase64Encoded !== "boolean") faults.push("isBase64Encoded must be a boolean");
  for (const name of Object.keys(result)) if (!FIELD_NAMES.includes(name)) faults.push(`unknown field "${name}"`);
  return faults;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

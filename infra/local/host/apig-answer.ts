/** The result that a function must return to the API gateway (SOURCES.md#functiongraph-apig-response). */
export interface ApigAnswer {
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
export function answerFaults(answer: unknown): string[] {
  if (!isMap(answer)) return [`expected an object, got ${answer === null ? "null" : typeof answer}`];
  const faults: string[] = [];
  const { statusCode, headers, body, isBase64Encoded } = answer;
  if (!Number.isInteger(statusCode) || Number(statusCode) < 200 || Number(statusCode) > 599) {
    faults.push("statusCode is not an HTTP status");
  }
  if (!isMap(headers) || Object.values(headers).some((value) => typeof value !== "string")) {
    faults.push("headers is not an object of strings");
  }
  if (typeof body !== "string") faults.push("body is not a string");
  if (typeof isBase64Encoded !== "boolean") faults.push("isBase64Encoded is not a boolean");
  for (const name of Object.keys(answer)) if (!MEMBERS.includes(name)) faults.push(`unknown member "${name}"`);
  return faults;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

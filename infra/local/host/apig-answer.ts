/** What a function has to answer the gateway with (functiongraph.md 2.3). */
export interface ApigAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

const MEMBERS = ["statusCode", "headers", "body", "isBase64Encoded"];

/**
 * The faults of an answer, none when it has exactly the documented shape. Stricter than the platform is known to be:
 * it may let a missing member pass, but nobody promises that.
 */
export function answerFaults(answer: unknown): string[] {
  if (!isMap(answer)) return [`the answer is ${answer === null ? "null" : typeof answer}, not an object`];
  const faults: string[] = [];
  const { statusCode, headers, body, isBase64Encoded } = answer;
  if (!Number.isInteger(statusCode) || Number(statusCode) < 200 || Number(statusCode) > 599) {
    faults.push("statusCode is no HTTP status");
  }
  if (!isMap(headers) || Object.values(headers).some((value) => typeof value !== "string")) {
    faults.push("headers is no map of strings");
  }
  if (typeof body !== "string") faults.push("body is no string");
  if (typeof isBase64Encoded !== "boolean") faults.push("isBase64Encoded is no boolean");
  for (const name of Object.keys(answer)) if (!MEMBERS.includes(name)) faults.push(`there is no member "${name}"`);
  return faults;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

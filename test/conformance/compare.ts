/** Compares the responses of the embedded cloud with the models of an SDK. */
import type { Description } from "./protocol.ts";

/** One field of the responses of an operation that differs from the model of the SDK. */
export interface Difference {
  /** The service and the operation, such as `evs.ShowVolume`. */
  operation: string;
  /** The path of the field in the response, such as `volumes[].links`. */
  field: string;
  difference: string;
}

/** What the responses of one operation showed of one field. */
interface Finding {
  seen: boolean;
  /** The difference, unless the field is only absent although it is optional. */
  problem?: string;
}

const ABSENT = "required, but absent";
const NEVER_SENT = "optional, and no response has it";

/**
 * Collects the differences of all responses of one client. A required field must be in every response, and an optional field in
 * at least one response of its operation. Each field must have the declared type. A field that the model lacks is a difference.
 *
 * Accepts null for every type, because each SDK accepts null, and because the examples in the EVS documents have null for
 * required fields such as `description` and `snapshot_id`.
 */
export class ResponseComparison {
  readonly #description: Description;
  readonly #findings = new Map<string, Map<string, Finding>>();

  constructor(description: Description) {
    this.#description = description;
  }

  /** Compares the body of one successful response. An empty body counts as an object without fields. */
  add(operation: string, body: string): void {
    const findings = this.#findings.get(operation) ?? new Map<string, Finding>();
    this.#findings.set(operation, findings);
    const response = this.#description.operations[operation]?.response;
    if (response === undefined) throw new Error(`${operation}: no such operation in the description of the SDK.`);
    this.#compare(response, body === "" ? {} : JSON.parse(body), "", findings);
  }

  /** Returns the differences of all responses so far. */
  differences(): Difference[] {
    return [...this.#findings].flatMap(([operation, findings]) =>
      [...findings].flatMap(([field, { seen, problem }]) => {
        const difference = problem ?? (seen ? undefined : NEVER_SENT);
        return difference === undefined ? [] : [{ operation, field, difference }];
      }),
    );
  }

  #compare(type: string, value: unknown, path: string, findings: Map<string, Finding>): void {
    if (value === null || type === "any") return;
    const isObject = typeof value === "object" && !Array.isArray(value);
    const model = this.#description.models[type];
    if (type.startsWith("[") && Array.isArray(value)) {
      for (const item of value) this.#compare(type.slice(1, -1), item, `${path}[]`, findings);
    } else if (type.startsWith("{") && isObject) {
      for (const item of Object.values(value)) this.#compare(type.slice(1, -1), item, `${path}{}`, findings);
    } else if (model !== undefined && isObject) {
      this.#compareFields(model, value as Record<string, unknown>, path, findings);
    } else if (!isScalar(type, value)) {
      const actual = Array.isArray(value) ? "an array" : `the ${typeof value} ${JSON.stringify(value)}`;
      findings.set(path, { seen: true, problem: `expected ${type}, got ${actual}` });
    }
  }

  #compareFields(
    model: Record<string, string>,
    value: Record<string, unknown>,
    path: string,
    findings: Map<string, Finding>,
  ): void {
    const pathOf = (name: string) => (path === "" ? name : `${path}.${name}`);
    for (const [name, declared] of Object.entries(model)) {
      const field = pathOf(name);
      const required = declared.endsWith("!");
      const finding = findings.get(field) ?? { seen: false };
      findings.set(field, finding);
      if (Object.hasOwn(value, name)) {
        finding.seen = true;
        this.#compare(required ? declared.slice(0, -1) : declared, value[name], field, findings);
      } else if (required) finding.problem = ABSENT;
    }
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(model, name)) findings.set(pathOf(name), { seen: true, problem: "not in the model" });
    }
  }
}

function isScalar(type: string, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  return ["string", "number", "boolean"].includes(type) && typeof value === type;
}

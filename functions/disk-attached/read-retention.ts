import { SnapshotError } from "../../shared/core/errors.ts";
import { parseJson } from "../../shared/core/parse-json.ts";
import { misconfigured, type Variables } from "../../shared/functiongraph/variables.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";
import { keepsSomething } from "../../shared/snapshots/retention/plan.ts";
import { validate } from "../../shared/validation/validate.ts";
import { retention } from "./schema.generated.js";

const NAME = "DISK_ATTACHED_RETENTION";
const SHAPE = 'the retention of a policy as JSON, such as {"keep_last":3,"keep_daily":7}';

/**
 * What is kept of the snapshots of earlier attachments where a disk is full, so that there is room for one more: a trace
 * brings no policy along. Undefined: no room is made. Throws Misconfigured.
 */
export function readRetention(variables: Variables): Retention | undefined {
  const text = variables(NAME);
  if (text === undefined) return undefined;
  let given: Retention;
  try {
    given = parseJson(text) as Retention;
  } catch {
    throw misconfigured(NAME, SHAPE, text);
  }
  const faults = validate(retention, given, NAME);
  if (faults.length > 0) throw new SnapshotError("Misconfigured", `${faults.join(" ")} Expected ${SHAPE}.`);
  if (!keepsSomething(given)) throw misconfigured(NAME, `${SHAPE}, with at least one rule above 0`, text);
  return given;
}

import { SnapshotError } from "../../shared/core/errors.ts";
import { parseJson } from "../../shared/core/parse-json.ts";
import { misconfiguredError, type Variables } from "../../shared/functiongraph/variables.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";
import { keepsSomething } from "../../shared/snapshots/retention/plan.ts";
import { validate } from "../../shared/validation/validate.ts";
import { retention } from "./schema.generated.js";

const VARIABLE = "DISK_ATTACHED_RETENTION";
const EXPECTED = 'the retention of a policy as JSON, such as {"keep_last":3,"keep_daily":7}';

/**
 * Reads the variable DISK_ATTACHED_RETENTION. If a disk has the maximum number of snapshots, disk-attached deletes the
 * snapshots of earlier attachments that this retention does not keep. disk-attached cannot read a retention from its event:
 * the event is a CTS trace, which contains no policy.
 *
 * @returns undefined if the variable is not set. disk-attached then deletes no snapshot.
 * @throws SnapshotError Misconfigured
 */
export function readRetention(variables: Variables): Retention | undefined {
  const text = variables(VARIABLE);
  if (text === undefined) return undefined;
  let given: Retention;
  try {
    given = parseJson(text) as Retention;
  } catch {
    throw misconfiguredError(VARIABLE, EXPECTED, text);
  }
  const faults = validate(retention, given, VARIABLE);
  if (faults.length > 0) throw new SnapshotError("Misconfigured", `${faults.join(" ")} Expected ${EXPECTED}.`);
  if (!keepsSomething(given)) throw misconfiguredError(VARIABLE, `${EXPECTED}, with at least one rule above 0`, text);
  return given;
}

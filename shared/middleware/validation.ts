import { SnapshotError } from "../core/errors.ts";
import { type SchemaOf, validate } from "../validation/validate.ts";

/**
 * Validates the body of a request.
 *
 * @throws SnapshotError InvalidRequest with a message that names the path of every fault
 */
export function assertValid<Body>(schema: SchemaOf<Body>, body: unknown): asserts body is Body {
  const faults = validate(schema, body);
  if (faults.length > 0) throw new SnapshotError("InvalidRequest", faults.join(" "));
}

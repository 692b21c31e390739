import { SnapshotError } from "../core/errors.ts";
import { type SchemaOf, validate } from "../validation/validate.ts";
import type { CreateCall } from "./create-request.ts";
import type { Invocation, Middleware } from "./invocation.ts";

/** Validates the body of a call against a schema. Throws InvalidRequest, whose message names the faults with their paths. */
export function validation<Body>(schemaFor: (invocation: Invocation) => SchemaOf<Body>): Middleware {
  return {
    before(request) {
      const { body }: CreateCall = request.event;
      const faults = validate(schemaFor(request.context), body);
      if (faults.length > 0) throw new SnapshotError("InvalidRequest", faults.join(" "));
    },
  };
}

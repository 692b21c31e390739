import { SnapshotError } from "../snapshots/reasons.ts";
import { faultsOf, type SchemaOf } from "./check.ts";
import type { CreateCall } from "./create-call.ts";
import type { Invocation, Middleware } from "./invocation.ts";

/** Room for a few hundred faults: each is in the answer and twice in the records. */
const MOST_CHARACTERS = 32 * 1024;

/** Holds the body of a call against a schema. Throws InvalidRequest, which names every fault with its path. */
export function validation<Body>(schemaFor: (invocation: Invocation) => SchemaOf<Body>): Middleware {
  return {
    before(request) {
      const { body }: CreateCall = request.event;
      const faults = [...new Set(faultsOf(schemaFor(request.context), body))];
      if (faults.length === 0) return;
      let room = MOST_CHARACTERS;
      const named = faults.filter((fault) => {
        room -= fault.length;
        return room >= 0;
      });
      if (faults.length > named.length) named.push(`and ${faults.length - named.length} faults more.`);
      throw new SnapshotError("InvalidRequest", named.join(" "));
    },
  };
}

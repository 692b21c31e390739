import type { Kind } from "../snapshots/kinds/kind.ts";
import { hashRequest } from "../snapshots/marker.ts";
import type { CreateCall } from "./create-request.ts";
import type { Invocation, Middleware } from "./invocation.ts";

const SAID =
  "The description leaves no room for the marker: the snapshot is found again by its name alone, verify-snapshots says nothing of it and prune-snapshots never deletes it. A shorter description (up to 141 characters) has room.";

/** Says of a create call that what it makes cannot be marked as ours (DESIGN 4.4), in the record of the run. */
export function unmarked(kind: Kind): Middleware {
  return {
    before({ event, context }) {
      const { functionName: policy, records } = context as Invocation;
      const { body, key } = event as CreateCall<Record<string, Record<string, unknown>>>;
      const options = body[kind.envelope] ?? {};
      const marked = kind.mark(options, { policy, idempotencyKey: key, requestHash: hashRequest(kind.name, options) });
      if (kind.read({ ...marked, id: "new", status: "new" })?.marker === undefined) records.addNotice(SAID);
    },
  };
}

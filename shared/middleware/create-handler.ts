import { type JsonObject, textAt } from "../core/json.ts";
import type { Connection } from "../huaweicloud/http/sdk-client.ts";
import { recorded } from "../results/records.ts";
import { createOnce } from "../snapshots/create/create-once.ts";
import { type CreateResult, toRecordFields } from "../snapshots/create/request.ts";
import type { Kind } from "../snapshots/kinds/kind.ts";
import type { Creation } from "../snapshots/ports.ts";
import type { CreateCall } from "./create-request.ts";
import type { Invocation } from "./invocation.ts";

/** The handler of the `create-*` functions: takes the snapshot that was asked for, once, and records what became of it. */
export const createHandler =
  (kind: Kind, serviceOf: (connection: Connection) => Creation) =>
  ({ body, key }: CreateCall<{ [envelope: string]: JsonObject }>, invocation: Invocation): Promise<CreateResult> => {
    const { functionName, connection, retryBudget, runtime, records, startedAt } = invocation;
    const options = body[kind.envelope] as JsonObject;
    const target = {
      action: "create",
      kind: kind.name,
      resource_id: kind.resourceOf(options),
      name: textAt(options, "name"),
      policy: functionName,
    } as const;
    return recorded(records, target, async () => {
      const created = await createOnce(
        {
          kind,
          options,
          idempotencyKey: key,
          projectId: connection.projectId,
          policy: functionName,
          label: functionName,
          time: startedAt,
        },
        serviceOf(connection),
        retryBudget,
        runtime.inFlight,
      );
      return { result: created, end: toRecordFields(created) };
    });
  };

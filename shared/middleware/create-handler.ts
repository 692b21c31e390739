import { type JsonObject, readStringField } from "../core/json.ts";
import type { Connection } from "../huaweicloud/http/sdk-client.ts";
import { runWithRecord } from "../results/records.ts";
import { createOnce } from "../snapshots/create/create-once.ts";
import { type CreateResult, toRecordFields } from "../snapshots/create/request.ts";
import type { Kind } from "../snapshots/kinds/kind.ts";
import { hashRequest } from "../snapshots/marker.ts";
import type { SnapshotCreator } from "../snapshots/ports.ts";
import type { CreateRequest } from "./create-request.ts";
import type { Invocation } from "./invocation.ts";

/**
 * Returns the handler of a `create-*` function. The handler creates the requested snapshot once and writes its record.
 *
 * @param unmarkedNotice the `detail` of the run's record if the requested description leaves no room for the marker. The
 *   marker is the set of labels that identify a snapshot as created by this project. Only cluster snapshots need this
 *   notice. For the other kinds, the marker is not in the description, but in metadata or tags.
 */
export const createHandler =
  (kind: Kind, serviceOf: (connection: Connection) => SnapshotCreator, unmarkedNotice?: string) =>
  (request: CreateRequest<Record<string, JsonObject>>, invocation: Invocation): Promise<CreateResult> => {
    const { functionName: policy, connection, retryBudget, runtime, records, startedAt } = invocation;
    const { idempotencyKey } = request;
    const options = request.body[kind.envelope] ?? {};
    const target = {
      action: "create",
      kind: kind.name,
      resource_id: kind.resourceOf(options),
      name: readStringField(options, "name"),
      policy,
    } as const;
    if (unmarkedNotice !== undefined) {
      const markedOptions = kind.mark(options, {
        policy,
        idempotencyKey,
        requestHash: hashRequest(kind.name, options),
      });
      if (kind.read({ ...markedOptions, id: "new", status: "new" })?.marker === undefined)
        records.addNotice(unmarkedNotice);
    }
    return runWithRecord(records, target, async () => {
      const created = await createOnce(
        {
          kind,
          options,
          idempotencyKey,
          projectId: connection.projectId,
          policy,
          label: policy,
          time: startedAt,
        },
        serviceOf(connection),
        retryBudget,
        runtime.inFlight,
      );
      return { result: created, end: toRecordFields(created) };
    });
  };

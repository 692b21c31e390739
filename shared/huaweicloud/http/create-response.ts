import { REASONS, SnapshotError } from "../../core/errors.ts";
import { isObject, type JsonObject, readStringField } from "../../core/json.ts";
import type { Kind } from "../../snapshots/kinds/kind.ts";
import type { CreatedSnapshot } from "../../snapshots/ports.ts";
import { type ApiResponse, reportsFailure, unexpectedResponse } from "./api-response.ts";
import { readFault } from "./cloud-errors.ts";

/**
 * Matches a UUID and the placeholder `XXXXXX` of the API documents. Does not match the UUID of zeros, because some responses
 * use it for a missing id.
 */
const ID_PATTERN = /^(?=.{5,64}$)(?![0-]*$)[0-9a-fx]+(-[0-9a-fx]+)*$/i;

/**
 * Reads the response to a create request.
 *
 * @param options the create options that were sent
 * @throws SnapshotError BadResponse if the response contains no snapshot id, if it contains an error, or if its resource id
 *   differs from the resource id in the create options. The error has `ambiguous` set, because the snapshot may exist.
 * @throws SnapshotError SnapshotFailed if the new snapshot has an error status or a deletion status
 */
export function readCreateResponse(kind: Kind, options: JsonObject, response: ApiResponse): CreatedSnapshot {
  const unexpected = (what: string) => unexpectedResponse(what, response, true);
  const snapshotId = kind.readCreatedId(response.body);
  const expected = kind.resourceOf(options);
  if (snapshotId === undefined || !ID_PATTERN.test(snapshotId) || snapshotId.toLowerCase() === expected) {
    throw unexpected(`the id of the new ${kind.name}`);
  }
  // EVS v5 returns the fields without an envelope object (SOURCES.md#evs-v5-create).
  const { [kind.envelope]: wrapped, ...bare } = response.body;
  const row = isObject(wrapped) ? wrapped : bare;
  if (reportsFailure(row, readFault(row).code)) throw unexpected(`no error about the new ${kind.name}`);
  const read = kind.read({ ...row, id: snapshotId, status: readStringField(row, "status") || "creating" });
  const { resource, state, status } = read ?? {};
  if (resource !== undefined && resource !== expected) throw unexpected(`a ${kind.name} of ${expected}`);
  if (state === "failed" || state === "deleting") {
    throw new SnapshotError(
      "SnapshotFailed",
      `The ${kind.name} ${snapshotId} was created with the status "${status}". ${REASONS.SnapshotFailed.advice}`,
    );
  }
  return {
    snapshotId,
    jobId: readStringField(response.body, "job_id"),
    status: response.status,
    body: response.text,
    state,
  };
}

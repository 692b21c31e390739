import { SnapshotError } from "../../core/errors.ts";
import { type JsonObject, readStringField } from "../../core/json.ts";
import { type FoundSnapshot, isLive, type Kind } from "../kinds/kind.ts";
import { type Marker, snapshotName } from "../marker.ts";
import { foreignReason } from "../ownership.ts";
import type { SnapshotRequest } from "./request.ts";

/** The result of searching a list response for the snapshots that earlier deliveries of a create request created. */
export interface MatchResult {
  /** The snapshot that satisfies the create request; undefined if there is none. */
  existing?: FoundSnapshot;
  /** The number of failed snapshots that earlier attempts of the create request created. */
  failedCount: number;
}

/**
 * Searches a list response for the snapshots that earlier deliveries of a create request created.
 *
 * @throws SnapshotError Conflict if a snapshot has the same idempotency key but another request hash, or if the requested name
 *   must be unique and another snapshot already has this name
 */
export function matchExisting(listed: FoundSnapshot[], request: SnapshotRequest, marker: Marker): MatchResult {
  const { kind, options, idempotencyKey, acceptsOtherOptions = false } = request;
  const resource = kind.resourceOf(options);
  const name = readStringField(options, "name");
  // If the description of a DWS snapshot has no room for the snapshot marker, the snapshot is recognized by its name, resource
  // and description.
  const description = kind.uniqueNames ? readStringField(kind.mark(options, marker), "description") : undefined;
  // Stryker disable next-line ArrowFunction: undefined has the same effect as false
  const isGeneratedName = kind.uniqueNames && name === undefined ? generatedNames(request) : () => false;
  const ofResource = listed.filter(
    (found) => foreignReason(found) === undefined && isOfResource(found, kind, options, resource, marker),
  );
  const matches = ofResource.filter(
    (found) =>
      found.marker?.idempotencyKey === idempotencyKey ||
      isGeneratedName(found.name) ||
      (description !== undefined &&
        isSameName(found.name, name) &&
        found.description?.trimEnd() === description.trimEnd()),
  );
  const [oldest, ...others] = matches.filter(isLive).sort(byCreation);
  const isSameRequest = ({ marker: found }: FoundSnapshot) =>
    acceptsOtherOptions || found === undefined || found.requestHash === marker.requestHash;
  if (oldest !== undefined && !isSameRequest(oldest)) throw keyConflictError(kind, oldest.id);
  // An older snapshot that is not available may never become available, so prefer an available duplicate.
  const availableDuplicate = others.find((found) => found.state === "available" && isSameRequest(found));
  const existing = oldest?.state === "available" ? oldest : (availableDuplicate ?? oldest);
  const namesake =
    kind.uniqueNames && existing === undefined ? listed.find((found) => isSameName(found.name, name)) : undefined;
  if (namesake !== undefined) {
    throw new SnapshotError(
      "Conflict",
      `Expected a name that is free in this project; "${name}" is the name of snapshot ${namesake.id} (${namesake.status}) of ${namesake.resource ?? "another resource"}. Choose another name${namesake.state === "failed" ? ", or delete that snapshot" : ""}.`,
    );
  }
  return { existing, failedCount: matches.filter(({ state }) => state === "failed").length };
}

/** The number of generated names that are compared with the name of a listed snapshot. More attempts than that do not occur. */
const MAX_GENERATED_NAMES = 20;

/**
 * Returns a function that tells whether a request generates a snapshot name. DWS can return the description of a snapshot changed
 * or not at all, and with it the snapshot marker. The generated name then identifies the request, because it contains a hash of
 * the idempotency key.
 */
function generatedNames(request: SnapshotRequest): (name: string) => boolean {
  const names = new Set<string>();
  for (let attempt = 1; attempt <= MAX_GENERATED_NAMES; attempt += 1)
    names.add(generateName(request, attempt).toLowerCase());
  return (name) => names.has(name.toLowerCase());
}

/** Generates the snapshot name for a create attempt. */
export const generateName = (
  { kind, options, idempotencyKey, label, time }: SnapshotRequest,
  attempt: number,
): string =>
  snapshotName(label, time, {
    kind: kind.name,
    resource: kind.resourceOf(options),
    key: idempotencyKey,
    attempt,
  });

/**
 * Returns whether a listed snapshot belongs to the requested resource.
 *
 * - If the list response contains the resource id of the snapshot, the function compares the resource ids.
 * - If it contains no resource id, the function compares the request hashes, which depend on the resource id.
 * - If the snapshot also has no marker, and therefore no request hash, the function returns true. The caller then compares the
 *   snapshot names.
 * - If the request is for a group of individual disks, the function compares the request hashes, and the disks of the group
 *   members with the requested disks. One match is enough.
 */
function isOfResource(
  found: FoundSnapshot,
  kind: Kind,
  options: JsonObject,
  resource: string,
  { requestHash }: Marker,
): boolean {
  if (!(kind.target.idOption in options)) {
    const disks = found.members?.map((member) => String(member.resource).toLowerCase()).sort();
    return found.marker?.requestHash === requestHash || disks?.join(",") === resource;
  }
  return found.resource === undefined
    ? (found.marker?.requestHash ?? requestHash) === requestHash
    : found.resource === resource;
}

/** Compares two snapshot names without regard to upper and lower case, as DWS does (SOURCES.md#dws-names-unique). */
export const isSameName = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase();

/** Creates the error for an idempotency key that was already used for a different request. */
export const keyConflictError = (kind: Kind, id: string) =>
  new SnapshotError(
    "Conflict",
    `Another request with the same key created ${kind.name} ${id}. Repeat that request unchanged, or use a new key (Idempotency-Key, deployment_id).`,
  );

/** Compares two snapshots by creation time. A snapshot without a creation time counts as the oldest. */
export const byCreation = (a: FoundSnapshot, b: FoundSnapshot): number =>
  // Stryker disable next-line EqualityOperator: no two snapshots have the same id
  (a.created ?? 0) - (b.created ?? 0) || (a.id < b.id ? -1 : 1);

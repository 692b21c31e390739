import { SnapshotError } from "../../core/errors.ts";
import { type JsonObject, textAt } from "../../core/json.ts";
import { type FoundSnapshot, isLive, type Kind } from "../kinds/kind.ts";
import type { Marker } from "../marker.ts";
import { foreignReason } from "../ownership.ts";
import type { SnapshotRequest } from "./request.ts";

/** The snapshots in a list that an earlier delivery of a request created. */
export interface Match {
  /** The snapshot that satisfies the request; undefined if there is none. */
  existing?: FoundSnapshot;
  /** How many snapshots of the request failed. */
  failedCount: number;
}

/**
 * Finds the snapshots of a request in a list.
 *
 * @throws SnapshotError Conflict if a snapshot has the same key and another request hash, or if another snapshot has the name
 */
export function matchExisting(
  listed: FoundSnapshot[],
  { kind, options, idempotencyKey }: SnapshotRequest,
  marker: Marker,
): Match {
  const resource = kind.resourceOf(options);
  const name = textAt(options, "name");
  // If the description has no room for the marker, the name, the resource and the description identify the snapshot.
  const description = kind.uniqueNames ? textAt(kind.mark(options, marker), "description") : undefined;
  const ofResource = listed.filter(
    (one) => foreignReason(one) === undefined && isOf(one, kind, options, resource, marker),
  );
  const matches = ofResource.filter(
    (one) =>
      one.marker?.idempotencyKey === idempotencyKey ||
      (description !== undefined && sameName(one.name, name) && one.description?.trimEnd() === description.trimEnd()),
  );
  const [oldest, ...others] = matches
    .filter(isLive)
    // Stryker disable next-line EqualityOperator: no two have the same id
    .sort((a, b) => (a.created ?? 0) - (b.created ?? 0) || (a.id < b.id ? -1 : 1));
  if (oldest?.marker !== undefined && oldest.marker.requestHash !== marker.requestHash) {
    throw conflict(kind, oldest.id);
  }
  // Prefer an available duplicate to an older snapshot that is not available and may never be.
  const better = others.find((one) => one.state === "available" && one.marker?.requestHash === marker.requestHash);
  const existing = oldest?.state === "available" ? oldest : (better ?? oldest);
  const taken = kind.uniqueNames && existing === undefined ? listed.find((one) => sameName(one.name, name)) : undefined;
  if (taken !== undefined) {
    throw new SnapshotError(
      "Conflict",
      `Expected a name that is free in this project; "${name}" is the name of snapshot ${taken.id} (${taken.status}) of ${taken.resource ?? "another resource"}. Choose another name${taken.state === "failed" ? ", or delete that snapshot" : ""}.`,
    );
  }
  return { existing, failedCount: matches.filter((one) => one.state === "failed").length };
}

/**
 * Returns whether a snapshot is of the resource. If the list does not name the resource, the hash of the request decides,
 * because it covers the resource. If the snapshot has no marker, its name decides. For a group of individual disks, its
 * members count, too.
 */
function isOf(
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

/** Compares names without upper and lower case, as DWS does (SOURCES.md#dws-names-unique). */
export const sameName = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase();

/** Creates the error for a key that was used for another request. */
export const conflict = (kind: Kind, id: string) =>
  new SnapshotError(
    "Conflict",
    `Another request with the same key created ${kind.name} ${id}. Repeat that request unchanged, or use a new key (Idempotency-Key, deployment_id).`,
  );

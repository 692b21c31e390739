/** What the EVS v2 and v5 APIs have in common. Codes and messages: cloud-apis.md 4.2. */

import type { CloudState } from "../cloud-state.ts";
import { type Query, Refusal } from "../gateway/http.ts";
import type { Tags, VolumeRecord } from "../inventory.ts";
import { type Complain, integer, one, UUID } from "./constraints.ts";
import { type Condition, capped, when } from "./paging.ts";

export const badBody: Complain = (message) => {
  throw new Refusal(400, "EVS.5400", `Malformed request body. ${message}`);
};

export const badUrl: Complain = (message) => {
  throw new Refusal(400, "EVS.5400", `Malformed request url. ${message}`);
};

export function refuse(status: number, code: string, message: string): never {
  throw new Refusal(status, code, message);
}

export function notFound(what: string, id: string): never {
  return refuse(404, "EVS.5404", `${what} ${id} could not be found.`);
}

/** `limit` 1 to 1000 (default 1000), `offset` in rows (cloud-apis.md 1.2). */
export function window(query: Query, { choices }: CloudState): { limit: number; offset: number } {
  const limit = integer(one(query, "limit")) ?? 1000;
  const offset = integer(one(query, "offset")) ?? 0;
  if (Number.isNaN(limit)) refuse(400, "EVS.5400", "limit param must be an integer.");
  if (limit > 1000) refuse(400, "EVS.2142", "invalid filter limit, can not greater than 1000.");
  if (limit < 1) refuse(400, "EVS.1023", "invalid filter limit!");
  if (Number.isNaN(offset) || offset < 0) refuse(400, "EVS.5400", "offset param must be an integer.");
  return { limit: capped(limit, choices), offset };
}

export function direction(query: Query): "asc" | "desc" {
  const text = one(query, "sort_dir") ?? "desc";
  if (text !== "asc" && text !== "desc") return refuse(400, "EVS.1040", "invalid sort_dir!");
  return text;
}

export type Comparable = string | number;

/** `undefined`: by age, as the rows lie there anyway. */
export function sorting<T extends { id: string }>(
  query: Query,
  keys: Record<string, ((item: T) => Comparable) | undefined>,
): ((a: T, b: T) => number) | undefined {
  const key = one(query, "sort_key") ?? "created_at";
  if (!Object.hasOwn(keys, key)) refuse(400, "EVS.1039", "invalid sort_key!");
  const value = keys[key];
  if (!value) return undefined;
  return (a, b) => compare(value(a), value(b)) || compare(a.id, b.id);
}

export function compare(a: Comparable, b: Comparable): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An internal address that only the cloud can reach: never to be followed (cloud-apis.md 1.2). */
export function nextLink(path: string, limit: number, lastId: string | undefined): { rel: string; href: string }[] {
  return [{ rel: "next", href: `https://172.28.9.185:8776${path}?limit=${limit}&marker=${lastId ?? ""}` }];
}

export function named<T extends { name: string }>(query: Query, cloud: CloudState): Condition<T> | undefined {
  const fuzzy = cloud.choices.nameFilter === "fuzzy";
  return when(one(query, "name"), (item: T, wanted) => (fuzzy ? item.name.includes(wanted) : item.name === wanted));
}

export function inProject<T extends { enterpriseProjectId: string }>(
  query: Query,
  cloud: CloudState,
): Condition<T> | undefined {
  const otherwise = cloud.choices.enterpriseProjectsByDefault === "all" ? undefined : "0";
  const wanted = one(query, "enterprise_project_id") ?? otherwise;
  return wanted === "all_granted_eps" ? undefined : when(wanted, (item: T, id) => item.enterpriseProjectId === id);
}

/** The disk of a create call, in a state that allows a snapshot. */
export function snapshotableVolume(id: unknown, forced: boolean | undefined, cloud: CloudState): VolumeRecord {
  if (typeof id !== "string" || id === "") return refuse(400, "EVS.1002", "invalid volume id!");
  const volume = cloud.estate.volumes.get(id);
  if (!volume) return UUID.test(id) ? notFound("Volume", id) : refuse(400, "EVS.1002", "invalid volume id!");
  const status = cloud.estate.volumeStatus(volume);
  // `forced` is undefined in v5, which knows no `force`: there in-use is always good, attaching never.
  // v2: in-use without force is refused by what practice says (cloud-apis.md 1.1; UNCONFIRMED for every region), and
  // seed 001 lets force snapshot a disk that is attaching.
  const allowed =
    status === "available" || (status === "in-use" && forced !== false) || (status === "attaching" && forced === true);
  if (!allowed) {
    const { wrongVolumeStatus } = cloud.choices;
    refuse(
      wrongVolumeStatus.status,
      wrongVolumeStatus.code,
      `Invalid volume: Volume ${id} status must be available, but current status is: ${status}. Must be in Available state.`,
    );
  }
  return volume;
}

/** EVS tags: cloud-apis.md 9. Characters: the strictest set seen; whether it holds everywhere is UNCONFIRMED. */
export function checkTags(tags: Tags): void {
  const entries = Object.entries(tags);
  if (entries.length > 20) refuse(400, "EVS.1061", "The number of tags exceeds the upper limit.");
  for (const [key, value] of entries) {
    if (!/^[\p{L}\p{N}_-]{1,36}$/u.test(key) || !/^[\p{L}\p{N}_.-]{0,43}$/u.test(value)) {
      refuse(400, "EVS.1062", "invalid tag!");
    }
  }
}

export function checkEnterpriseProject(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const valid = typeof value === "string" && (value === "0" || UUID.test(value));
  return valid ? value : refuse(400, "EVS.2059", "invalid enterprise project id!");
}

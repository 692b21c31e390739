/** Implements the requests for the tags of EVS v5 snapshots and snapshot groups. */
import type { CloudState } from "../cloud-state.ts";
import { type Call, ok, type Route } from "../gateway/http.ts";
import type { Tags } from "../records.ts";
import { readObject } from "./constraints.ts";
import { refuse, rejectBody } from "./evs-common.ts";

interface Tagged {
  tags: Tags;
}

/**
 * Returns three routes for one kind of snapshot. The first route returns the tags of all snapshots, the second route adds tags to
 * a snapshot, and the third route removes tags from a snapshot.
 */
export function tagRoutes(
  operation: { list: string; add: string; remove: string },
  path: { all: string; single: string },
  findAll: (cloud: CloudState) => readonly Tagged[],
  find: (call: Call, cloud: CloudState) => Tagged,
): Route[] {
  const changeTags = (change: (tags: Tags, call: Call) => Tags) => (call: Call, cloud: CloudState) => {
    const tagged = find(call, cloud);
    tagged.tags = change(tagged.tags, call);
    return { status: 204 };
  };
  return [
    {
      operation: operation.list,
      method: "GET",
      path: `${path.all}/tags`,
      handle: (_, cloud) => ok({ tags: allTags(findAll(cloud)) }),
    },
    { operation: operation.add, method: "POST", path: `${path.single}/tags/create`, handle: changeTags(withTags) },
    {
      operation: operation.remove,
      method: "POST",
      path: `${path.single}/tags/delete`,
      handle: changeTags(withoutTags),
    },
  ];
}

function allTags(tagged: readonly Tagged[]): { key: string; value: string[] }[] {
  const values = new Map<string, Set<string>>();
  for (const { tags } of tagged) {
    for (const [key, value] of Object.entries(tags)) values.set(key, (values.get(key) ?? new Set()).add(value));
  }
  return [...values].map(([key, value]) => ({ key, value: [...value] }));
}

function withTags(tags: Tags, call: Call): Tags {
  const added = tagEntries(call).map(({ key, value }) => [key, String(value ?? "")] as const);
  const all = { ...tags, ...Object.fromEntries(added) };
  checkTags(all);
  return all;
}

function withoutTags(tags: Tags, call: Call): Tags {
  const removed = tagEntries(call).map(({ key }) => key);
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.includes(key)));
}

function tagEntries(call: Call): { key: string; value: unknown }[] {
  const { tags } = readObject(call.json, "body", ["tags"], rejectBody);
  if (!Array.isArray(tags)) return rejectBody("tags must be an array.");
  return tags.map((tag) => {
    const { key, value } = readObject(tag, "tags", ["key", "value"], rejectBody);
    return typeof key === "string" ? { key, value } : rejectBody("tags.key must be a string.");
  });
}

/**
 * Rejects tags that exceed the limits of EVS (SOURCES.md#evs-tag-limits). Allows only the characters that every public page of
 * EVS allows. Whether this rule applies in every region is UNCONFIRMED.
 */
export function checkTags(tags: Tags): void {
  const entries = Object.entries(tags);
  if (entries.length > 20) refuse(400, "EVS.1061", "The number of tags exceeds the upper limit.");
  for (const [key, value] of entries) {
    if (!/^[\p{L}\p{N}_-]{1,36}$/u.test(key) || !/^[\p{L}\p{N}_.-]{0,43}$/u.test(value)) {
      refuse(400, "EVS.1062", "invalid tag!");
    }
  }
}

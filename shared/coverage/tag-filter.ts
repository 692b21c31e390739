/** A tag that selects or excludes resources. Tags are case-sensitive. */
export interface TagFilter {
  key: string;
  /** Undefined for any value. */
  value: string | undefined;
}

/** Returns whether a resource has the tag of a filter. */
export const hasTag = (tags: Readonly<Record<string, string>>, { key, value }: TagFilter): boolean =>
  Object.hasOwn(tags, key) && (value === undefined || tags[key] === value);

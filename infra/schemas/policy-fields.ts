/** The descriptions, defaults and examples of the fields in infra/policy.schema.json. */
import type { JsonObject } from "../../shared/core/json.ts";

const field = (description: string, example: unknown, defaultValue?: unknown): JsonObject => ({
  description,
  ...(defaultValue === undefined ? {} : { default: defaultValue }),
  examples: [example],
});

/** Describes the fields of a policy, by name. */
export const POLICY_FIELDS: Record<string, JsonObject> = {
  policy: field(
    "The name of the policy. Its snapshots carry the name, and prune-snapshots finds them by it. To prune the snapshots of a function such as `pre-deploy`, use the name of the function. A name is a letter followed by up to 37 letters, digits, hyphens or underscores.",
    "nightly",
  ),
  time_zone: field(
    "The IANA time zone in which days, weeks, months and years begin, for the retention.",
    "Europe/Berlin",
    "UTC",
  ),
  retention: field(
    "The rules by which prune-snapshots keeps snapshots, separately for each resource and each kind of snapshot. It deletes a snapshot if no rule keeps it. At least one rule other than `min_keep` must be above 0. Without a retention, prune-snapshots deletes only duplicates.",
    { keep_last: 3, keep_daily: 7, keep_weekly: 4, keep_monthly: 12 },
  ),
  make_room: field(
    "If a disk already has 7 legacy snapshots, scheduled-snapshots deletes the oldest one that the retention does not keep, and then creates the new snapshot. If false, the create request fails with `QuotaExceeded`. A policy with `make_room` requires a retention.",
    true,
    false,
  ),
  hold: field("The ids or names of snapshots that are never deleted.", ["before-the-audit"], []),
  dry_run: field("If true, the functions create and delete nothing, and only write what they would do.", true, false),
  $schema: field(
    "The path of this JSON Schema, for editors. The functions ignore this field.",
    "../../infra/policy.schema.json",
  ),
  targets: field(
    "The resources of which scheduled-snapshots creates snapshots. scheduled-snapshots requires at least one target, and prune-snapshots ignores this field.",
    [{ kind: "standard-snapshot", tags: { backup: "daily" } }],
  ),
};

/** Describes the fields of a retention, by name. */
export const RETENTION_FIELDS: Record<string, JsonObject> = {
  keep_last: field("Keeps this number of newest snapshots.", 3, 0),
  keep_within_days: field(
    "Keeps every snapshot that is less than this number of days older than the newest one.",
    2,
    0,
  ),
  keep_daily: field("Keeps the newest snapshot of each day, for this number of days that have a snapshot.", 7, 0),
  keep_weekly: field(
    "Keeps the newest snapshot of each ISO week, for this number of weeks that have a snapshot.",
    4,
    0,
  ),
  keep_monthly: field(
    "Keeps the newest snapshot of each month, for this number of months that have a snapshot.",
    12,
    0,
  ),
  keep_yearly: field("Keeps the newest snapshot of each year, for this number of years that have a snapshot.", 7, 0),
  min_keep: field("Always keeps this number of newest snapshots, whatever the other rules say.", 2, 1),
};

const ids = (resource: string) =>
  field(`The ids of the ${resource} to select. A target requires ids, \`tags\`, or both.`, [
    "5aa119a8-d25b-45a7-8d1b-88e127885635",
  ]);

/** Describes the fields of a target, by name. The defaults of the create options depend on the kind of snapshot. */
export const TARGET_FIELDS: Record<string, JsonObject> = {
  kind: {
    description:
      "The kind of snapshot: `snapshot` (EVS v2, at most 7 per disk), `standard-snapshot` (EVS v5, at most 256 per disk), `snapshot-group` (all disks of a server at the same moment) or `cluster-snapshot` (a DWS cluster).",
  },
  volume_ids: ids("disks"),
  server_ids: ids("servers"),
  cluster_ids: ids("clusters"),
  tags: field(
    "Selects the resources that have all of these tags. `*` matches any value. A target requires ids, `tags`, or both.",
    { backup: "daily", team: "*" },
  ),
  exclude_tags: field(
    "Excludes the resources that have at least one of these tags, even if `tags` or ids select them. `*` matches any value. Default: excludes nothing.",
    { scratch: "*" },
  ),
  description: field("The description of the snapshots. Default: none.", "Created every night"),
  force: field("Whether to create the snapshot also if the disk is attached to a server.", true),
  incremental: field("Whether EVS saves only the changes since the previous snapshot of the disk.", true),
  instant_access: field(
    "Whether to create the snapshots with instant access, which SAS and SATA disks do not support. A disk can have at most 7 snapshots with instant access.",
    true,
  ),
};

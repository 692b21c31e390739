/** Lists invalid values of the Terraform variables, each with the message of the module. */
import { EVERYTHING } from "./everything.ts";

// biome-ignore lint/suspicious/noExplicitAny: variables of every type
type Any = any;

const ids = (count: number) =>
  Array.from({ length: count }, (_unused, index) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`);
export const policiesWith = (changes: Any) => ({
  policies: { nightly: { ...EVERYTHING.policies.nightly, ...changes } },
});

// biome-ignore format: the cases are easier to compare in rows
export const INVALID_VARIABLES: [string, Any, RegExp][] = [
  ["a user_event of 2,048 bytes or more", policiesWith({ targets: [{ kind: "snapshot", volume_ids: ids(50) }] }),
    /2048\. Select .*by tags/],
  ["a misspelled field of a policy", policiesWith({ retention: undefined, retentions: { keep_last: 1 } }),
    /A policy can have only the fields `schedule`/],
  ["a misspelled rule of a retention", policiesWith({ retention: { keep_dialy: 7 } }), /A `retention` can have only the fields `keep_last`/],
  ['a target with the misspelled kind "snapshots"', policiesWith({ targets: [{ kind: "snapshots", tags: { a: "b" } }] }), /Every target must have one of these kinds/],
  ["a target without a kind", policiesWith({ targets: [{ tags: { a: "b" } }] }), /Every target must have one of these kinds/],
  ["targets that are an object instead of an array", policiesWith({ targets: { kind: "snapshot", tags: { a: "b" } } }),
    /Every target must have one of these kinds/],
  ["targets that contain an array instead of an object", policiesWith({ targets: [[{ kind: "snapshot", tags: { a: "b" } }]] }),
    /Every target must have one of these kinds/],
  ["a misspelled field of a target", policiesWith({ targets: [{ kind: "snapshot", tag: { backup: "daily" } }] }),
    /A target can have only the fields `kind`, `tags`, .*`volume_ids`/],
  ["a hold in the policy pre-deploy, if requests to pre-deploy can delete snapshots",
    { policies: { "pre-deploy": { retention: { keep_daily: 7 }, prune_schedule: "0 40 3 * * ?", hold: ["a"] } },
      gateway: { instance_id: EVERYTHING.gateway.instance_id, make_room: true } }, /The field `hold` of the policies/],
  ["a hold in the policy disk-attached, if the function disk-attached can delete snapshots",
    { policies: { "disk-attached": { retention: { keep_daily: 7 }, prune_schedule: "0 40 3 * * ?", hold: ["a"] } },
      disk_attached_retention: { keep_daily: 7 } }, /The field `hold` of the policies/],
  ["a policy with a schedule but without targets", policiesWith({ targets: [] }), /at least one target/],
  ["a policy with targets but without a schedule", policiesWith({ schedule: undefined }),
    /both `schedule` and at least one target/],
  ["a policy without a schedule and without a retention", { policies: { nightly: { time_zone: "UTC" } } }, /must have `schedule`, `retention`, or both/],
  ["a cron schedule without the field for seconds", policiesWith({ schedule: "0 2 * * *" }), /six fields/],
  ["a policy with a retention but without a prune_schedule", policiesWith({ prune_schedule: undefined }),
    /both `retention` and `prune_schedule`/],
  ["a policy with make_room but without a retention",
    policiesWith({ make_room: true, retention: undefined, prune_schedule: undefined }), /with `make_room` must have a `retention`/],
  ["make_room with a retention that keeps no snapshot",
    policiesWith({ make_room: true, retention: { keep_last: 0, min_keep: 1 } }), /with `make_room` must have a `retention`/],
  ["every_hours = 720, because an alarm cannot search a period of 720 hours", policiesWith({ every_hours: 720 }), /every_hours/],
  ["a policy whose name begins with the reserved prefix Manualbk_Snapshot_",
    { policies: { Manualbk_Snapshot_x: EVERYTHING.policies.nightly } }, /The name of a policy/],
  ["a policy whose name begins with the reserved prefix autobk_snapshot_",
    { policies: { autobk_snapshot_x: EVERYTHING.policies.nightly } }, /The name of a policy/],
  ["two policies whose names differ only in case and separators",
    { policies: { "a-b": EVERYTHING.policies.nightly, A_b: EVERYTHING.policies.nightly } },
    /differ in more than case/],
  [
    "more than 10 policies",
    {
      policies: Object.fromEntries(
        Array.from({ length: 11 }, (_unused, index) => [`p${index}`, EVERYTHING.policies.nightly]),
      ),
    },
    /10 policies/,
  ],
  [
    "more than 10 timers of prune-snapshots",
    {
      policies: Object.fromEntries(
        Array.from({ length: 5 }, (_unused, index) => [`p${index}`, EVERYTHING.policies.crowded]),
      ),
    },
    /prune-snapshots would have 11 timers \(duplicates_create_cluster_snapshot, .*, prune_p4\).*`delete_duplicates = false`/,
  ],
  ['the unknown function name "disk-attatched"', { functions: ["disk-attatched"], coverage: {} }, /^functions: expected any of .*; got disk-attatched\.$/],
  ["the function disk-attached without disk_attached_kind", { disk_attached_kind: undefined }, /disk_attached_kind is not set/],
  ["snapshot-group as the disk_attached_kind", { disk_attached_kind: "snapshot-group" }, /disk_attached_kind: must be `snapshot` or/],
  ["a misspelled rule in disk_attached_retention", { disk_attached_retention: { keep_lats: 2 } },
    /disk_attached_retention: The only allowed fields are `keep_last`, `keep_within/],
  ["a disk_attached_retention that keeps no snapshot", { disk_attached_retention: { keep_last: 0, min_keep: 1 } },
    /disk_attached_retention: at least one/],
  ["an API without authentication",
    { gateway: { instance_id: EVERYTHING.gateway.instance_id, authentication: "NONE" } }, /`APP` or `IAM`/],
  ["IAM authentication of the APIs if publish_with_iam is not set",
    { gateway: { instance_id: EVERYTHING.gateway.instance_id, authentication: "IAM" } },
    /until its access policy is bound\. Use `APP`, or accept this risk with `gateway\.publish_with_iam = true`\./],
  ["IAM authentication of the APIs if publish_with_iam is false",
    { gateway: { instance_id: EVERYTHING.gateway.instance_id, authentication: "IAM", publish_with_iam: false } },
    /gateway\.authentication = "IAM": an access key of any account can call an API/],
  ["a name in gateway.policies that no policy has",
    { gateway: { instance_id: EVERYTHING.gateway.instance_id, policies: ["nightyl"] } },
    /^gateway\.policies: expected names of policies in the variable `policies`; got nightyl\.$/],
  ["a name in gateway.policies that differs from a policy in case",
    { gateway: { instance_id: EVERYTHING.gateway.instance_id, policies: ["Nightly"] } }, /^gateway\.policies: expected names/],
  ["a name with a space in gateway.policies",
    { gateway: { instance_id: EVERYTHING.gateway.instance_id, policies: [" nightly"] } }, /^gateway\.policies: expected names/],
  ["an unknown kind in gateway.kinds",
    { gateway: { instance_id: EVERYTHING.gateway.instance_id, kinds: ["snapshots"] } }, /^gateway\.kinds: expected any of .*; got snapshots\.$/],
  ["a misspelled field of coverage", { coverage: { max_age_hour: 26 } }, /coverage: The only allowed fields are `schedule`/],
  ["a schedule of coverage without the field for seconds", { coverage: { schedule: "0 6 * * *" } }, /coverage\.schedule: must have six fields/],
  ["coverage with every_hours = 720", { coverage: { every_hours: 720 } }, /coverage\.every_hours: must be a whole number from 0 to 216/],
  ["coverage without the function report-coverage", { functions: ["disk-attached"], coverage: { max_age_hours: 50 } },
    /coverage: the daily report needs the function report-coverage/],
  ["a kind of snapshot in coverage.kinds", { coverage: { kinds: ["snapshot"] } }, /coverage\.kinds: must contain only `volume` and `cluster`/],
  ["coverage.max_age_hours = 0", { coverage: { max_age_hours: 0 } }, /coverage\.max_age_hours: must be a number above 0/],
  ["coverage.max_age_hours that is no number", { coverage: { max_age_hours: "x" } }, /coverage\.max_age_hours: must be a number above 0/],
  ["coverage.states without the state failing", { coverage: { states: ["unprotected", "stale"] } },
    /coverage\.states: must contain `unprotected` and `failing`/],
  ["coverage.states as a string without the state unprotected", { coverage: { states: "failing" } }, /coverage\.states: must contain/],
  ["an alarm with both topic_urn and email", { alarm: { topic_urn: "urn:smn:a:b:c", email: "a@example.com" } },
    /either `topic_urn` or `email`/],
  ["an alarm with neither topic_urn nor email", { alarm: {} }, /either `topic_urn` or `email`/],
  ["an lts_endpoint that begins with http instead of https", { lts_endpoint: "http://100.125.11.157:8102" }, /https address/],
  ["an endpoint of a service that no function calls", { endpoints: { smn: "https://smn.example.com" } },
    /endpoints: expected any of .*evs.*; got smn/],
];

/** Returns valid variables, overridden by the changes. A variable that the changes set to undefined is not set. */
export const variablesWith = (changes: Any): Any => JSON.parse(JSON.stringify({ ...EVERYTHING, ...changes }));

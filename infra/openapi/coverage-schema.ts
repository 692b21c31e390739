/** Describes the JSON response of report-coverage for the OpenAPI document. */
import type { JsonObject } from "../../shared/core/json.ts";
import { COVERAGE_STATES, MAX_ORPHANS, MAX_RESTORE_POINTS, RESOURCE_TYPES } from "../../shared/coverage/coverage.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { objectSchema, stringSchema } from "./builders.ts";

const TIME = stringSchema("A time in UTC with milliseconds.");
const COUNT = { type: "integer", minimum: 0 };
const KIND = { enum: Object.keys(KINDS), description: "The kind of the snapshot." };
const STRINGS = (description: string) => ({ type: "array", items: { type: "string" }, description });

const POINT = {
  kind: KIND,
  id: stringSchema("The id of the snapshot. For a member of a snapshot group, the id of the member."),
  group_id: stringSchema("The id of the group, if the snapshot is a member of a group."),
  created_at: TIME,
};

const RESOURCE = objectSchema(
  {
    type: { enum: RESOURCE_TYPES },
    id: stringSchema(),
    name: stringSchema(),
    state: { enum: COVERAGE_STATES },
    reason: stringSchema("Why the resource has this state, and what to do."),
    size_gb: { type: "number" },
    server_ids: STRINGS("The servers that the disk is attached to."),
    tags: { type: "object", additionalProperties: { type: "string" } },
    good: { ...COUNT, description: "The number of good snapshots." },
    failed: { ...COUNT, description: "The number of failed snapshots." },
    policies: STRINGS("The policies of snapshot-functions that created snapshots of the resource."),
    newest: {
      ...objectSchema(
        {
          ...POINT,
          name: stringSchema(),
          age_hours: { type: "number" },
          policy: stringSchema(
            "The policy that created the snapshot. Absent if no policy of snapshot-functions created the snapshot.",
          ),
          created_by: stringSchema("Who created the snapshot, in words."),
        },
        ["kind", "id", "name", "created_at", "age_hours", "created_by"],
      ),
      description: "The newest good snapshot. Absent if there is none.",
    },
    restore_points: {
      type: "array",
      maxItems: MAX_RESTORE_POINTS,
      description: "The newest good snapshots, newest first.",
      items: objectSchema(
        {
          ...POINT,
          restore: stringSchema("The API call that restores the resource from the snapshot."),
          requires: stringSchema("What must be true before the call."),
        },
        ["kind", "id", "created_at", "restore", "requires"],
      ),
    },
    truncated: {
      const: true,
      description: "Some restore points, servers, policies or tags are missing, because the response is too large.",
    },
  },
  ["type", "id", "name", "state", "reason", "server_ids", "tags", "good", "failed", "policies", "restore_points"],
);

const STATES = [...COVERAGE_STATES, "orphaned"];

export const COVERAGE: JsonObject = objectSchema(
  {
    generated_at: TIME,
    max_age_hours: { type: "integer" },
    complete: { type: "boolean", description: "False if a list could not be read completely." },
    faults: STRINGS("What could not be read, one sentence each."),
    counts: {
      ...objectSchema(Object.fromEntries(STATES.map((state) => [state, COUNT])), STATES),
      description: "The number of resources in each state, and the number of orphaned snapshots.",
    },
    resources: { type: "array", description: "Sorted by type and id.", items: RESOURCE },
    orphans: {
      type: "array",
      maxItems: MAX_ORPHANS,
      description:
        "Snapshots of disks and clusters that no longer exist, oldest first. Empty if a list that matters could not be read.",
      items: objectSchema({ kind: KIND, id: stringSchema(), resource_id: stringSchema(), created_at: TIME }, [
        "kind",
        "id",
        "resource_id",
      ]),
    },
    orphans_truncated: { const: true, description: "There are more orphaned snapshots than this response lists." },
    page: { type: "integer" },
    pages: { type: "integer" },
  },
  ["generated_at", "max_age_hours", "complete", "faults", "counts", "resources", "orphans", "page", "pages"],
);

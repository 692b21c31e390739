import { Type } from "typebox";
import { MARKER_KEYS } from "../../shared/snapshots/marker.ts";
import { EnterpriseProjectId, SNAPSHOT_NAME, Tags, Uuid } from "../../shared/validation/fields.ts";

/**
 * Validates the body of a request to create-snapshot-group. The body names a server, disks, or some disks of a server
 * (SOURCES.md#evs-groups-server-disks). The limits are those of the EVS API: SOURCES.md#evs-groups-create-constraints
 */
export const current = Type.Object(
  {
    snapshot_group: Type.Object(
      {
        server_id: Type.Optional(Uuid()),
        volume_ids: Type.Optional(Type.Array(Uuid(), { minItems: 1, "x-unique-ids": true })),
        instant_access: Type.Optional(Type.Boolean()),
        name: Type.Optional(Type.String({ "x-max-bytes": 255, ...SNAPSHOT_NAME })),
        description: Type.Optional(Type.String({ "x-max-bytes": 255 })),
        tags: Type.Optional(Tags(MARKER_KEYS)),
        enterprise_project_id: Type.Optional(EnterpriseProjectId()),
        incremental: Type.Optional(Type.Boolean()),
      },
      {
        additionalProperties: false,
        "x-required-any-of": ["server_id", "volume_ids"],
      },
    ),
  },
  { additionalProperties: false },
);

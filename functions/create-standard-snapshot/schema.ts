import { Type } from "typebox";
import { MARKER_KEYS } from "../../shared/snapshots/marker.ts";
import { EnterpriseProjectId, SNAPSHOT_NAME, Tags, Uuid } from "../../shared/validation/fields.ts";

/**
 * Validates the body of a request to create-standard-snapshot. Its limits are those of the EVS API
 * (SOURCES.md#evs-v5-create-constraints). In addition, `volume_id` is required, although the API reference lists it as
 * optional: SOURCES.md#evs-v5-volume-id-required
 */
export const current = Type.Object(
  {
    snapshot: Type.Object(
      {
        volume_id: Uuid(),
        name: Type.Optional(Type.String({ maxLength: 64, ...SNAPSHOT_NAME })),
        description: Type.Optional(Type.String({ maxLength: 85 })),
        tags: Type.Optional(Tags(MARKER_KEYS)),
        enterprise_project_id: Type.Optional(EnterpriseProjectId()),
        instant_access: Type.Optional(Type.Boolean()),
        incremental: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

import { Type } from "typebox";
import { MARKER_KEYS } from "../../shared/snapshots/marker.ts";
import { EnterpriseProjectId, EVS_NAME, Tags, Uuid } from "../../shared/validation/fields.ts";

/**
 * Validates the body of the request. Its limits are those of the API (SOURCES.md#evs-v5-create-constraints), except that
 * `volume_id` is required, although the API's page lists it as optional: SOURCES.md#evs-v5-volume-id-required
 */
export const current = Type.Object(
  {
    snapshot: Type.Object(
      {
        volume_id: Uuid(),
        name: Type.Optional(Type.String({ maxLength: 64, ...EVS_NAME })),
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

import { Type } from "typebox";
import { MARKER_KEYS } from "../../shared/snapshots/marker.ts";
import { EnterpriseProjectId, EVS_NAME, Tags, Uuid } from "../../shared/validation/fields.ts";

/** Seed 000. It lists `volume_id` as optional, but a snapshot of no disk is none (cloud-apis.md 2.1): required here. */
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

import { Type } from "typebox";
import { MARKER_KEYS } from "../../shared/snapshots/marker.ts";
import { Tags, Uuid } from "../../shared/validation/fields.ts";

/** Validates the body of the request. */
export const current = Type.Object(
  {
    snapshot: Type.Object(
      {
        share_id: Uuid(),
        name: Type.Optional(Type.String({ maxLength: 64 })),
        description: Type.Optional(Type.String({ maxLength: 85 })),
        tags: Type.Optional(Tags(MARKER_KEYS)),
        incremental: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

import { Type } from "typebox";
import { MARKER_KEYS } from "../../shared/snapshots/marker.ts";
import { Metadata, SNAPSHOT_NAME, Uuid } from "../../shared/validation/fields.ts";

/**
 * Returns the schema for the body of a request to create-snapshot. `name` and `description` are the schemas of these two
 * fields.
 */
const bodySchema = <Name extends Type.TSchema, Description extends Type.TSchema>(
  name: Name,
  description: Description,
) =>
  Type.Object(
    {
      snapshot: Type.Object(
        {
          volume_id: Uuid(),
          force: Type.Optional(Type.Boolean()),
          metadata: Type.Optional(Metadata(MARKER_KEYS)),
          description: Type.Optional(description),
          name: Type.Optional(name),
        },
        { additionalProperties: false },
      ),
    },
    { additionalProperties: false },
  );

/**
 * Validates the body of a request to create-snapshot with the limits of the current API
 * (SOURCES.md#evs-v2-create-constraints). The API counts the characters of the name and of the description.
 */
export const current = bodySchema(Type.String({ maxLength: 64, ...SNAPSHOT_NAME }), Type.String({ maxLength: 85 }));

/**
 * Validates the body of a request to create-snapshot with the limits of older clouds (SOURCES.md#evs-v2-classic-limits).
 * Older clouds count the bytes of the name and of the description.
 */
export const classic = bodySchema(
  Type.String({ "x-max-bytes": 255, ...SNAPSHOT_NAME }),
  Type.Unsafe<string | null>({ type: ["string", "null"], "x-max-bytes": 255 }),
);

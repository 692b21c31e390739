import { Type } from "typebox";
import { SNAPSHOT_NAME, Uuid } from "../../shared/validation/fields.ts";

/**
 * Validates the body of a request to create-cluster-snapshot. Its limits are those of the DWS API:
 * SOURCES.md#dws-create-constraints
 */
export const current = Type.Object(
  {
    snapshot: Type.Object(
      {
        name: Type.String({
          pattern: "^[A-Za-z][A-Za-z0-9_-]{3,63}$",
          "x-expected": "a letter followed by 3 to 63 letters, digits, hyphens or underscores",
          ...SNAPSHOT_NAME,
        }),
        cluster_id: Uuid(),
        description: Type.Optional(
          Type.String({
            maxLength: 256,
            allOf: [
              { pattern: "^[^!<>'=&\"]*$", "x-expected": "a string without any of the characters !<>'=&\"" },
              {
                pattern: "^(?![\\s\\S]*managed-by:snapshot-functions)",
                "x-expected":
                  "a string without managed-by:snapshot-functions, which identifies snapshots created by snapshot-functions",
              },
            ],
          }),
        ),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

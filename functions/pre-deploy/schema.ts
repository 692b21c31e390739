import { Type } from "typebox";
import { PolicyName, RetentionSchema, Targets } from "../../shared/snapshots/policy-schema.ts";

/** Validates the body of a request to pre-deploy. */
export const deployment = Type.Object(
  {
    deployment_id: Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: "^[^\\u0000-\\u001f\\u007f]*$",
      "x-expected": "a string without control characters",
    }),
    targets: Targets(),
    wait_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 50 })),
    retry_failed: Type.Optional(Type.Boolean()),
    max_age_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
    policy: Type.Optional(PolicyName()),
    make_room: Type.Optional(Type.Boolean()),
    retention: Type.Optional(RetentionSchema()),
  },
  { additionalProperties: false },
);

import { Type } from "typebox";
import { PolicyNameSchema, RetentionSchema, TargetsSchema } from "../../shared/snapshots/policy-schema.ts";

/** Validates the body of a request to pre-deploy. */
export const deployment = Type.Object(
  {
    deployment_id: Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: "^[^\\u0000-\\u001f\\u007f]*$",
      "x-expected": "a string without control characters",
    }),
    targets: TargetsSchema(),
    wait_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 50 })),
    retry_failed: Type.Optional(Type.Boolean()),
    max_age_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
    policy: Type.Optional(PolicyNameSchema()),
    make_room: Type.Optional(Type.Boolean()),
    retention: Type.Optional(RetentionSchema()),
  },
  { additionalProperties: false },
);

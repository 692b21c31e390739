import { Type } from "typebox";

/**
 * Validates the `user_event` of the timer: how old a snapshot may be to be verified, and after which time a snapshot that is
 * still `creating` counts as stuck.
 */
export const lookback = Type.Object(
  {
    lookback_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
    stuck_after_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);

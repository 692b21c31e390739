import { Type } from "typebox";

/**
 * Validates the `user_event` of the verify-snapshots timer. Available snapshots older than `lookback_minutes` are not reported. A
 * snapshot that is still `creating` after `stuck_after_minutes` is reported as stuck.
 */
export const lookback = Type.Object(
  {
    lookback_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
    stuck_after_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);

import { Type } from "typebox";

/** DESIGN 4.3: how far back to look, and after how long a snapshot that is being created is stuck. */
export const lookback = Type.Object(
  {
    lookback_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
    stuck_after_minutes: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);

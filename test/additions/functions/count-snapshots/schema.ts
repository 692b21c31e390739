import { Type } from "typebox";

/** Validates the body of the request: the prefix of the names to count. */
export const query = Type.Object({ prefix: Type.String({ maxLength: 64 }) }, { additionalProperties: false });

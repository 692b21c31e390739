// Made from schema.ts by `npm run generate`. Do not edit.
import type { Static } from "typebox";
import type { Validator } from "../../shared/middleware/validation.ts";
import type * as schema from "./schema.ts";

export const policy: Validator<Static<typeof schema.policy>>;

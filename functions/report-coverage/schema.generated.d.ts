// Made from schema.ts by `npm run generate`. Do not edit.
import type { Static } from "typebox";
import type { SchemaOf } from "../../shared/validation/validate.ts";
import type * as schema from "./schema.ts";

export const query: SchemaOf<Static<typeof schema.query>>;

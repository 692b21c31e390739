import { PolicySchema } from "../../shared/middleware/policy-schema.ts";

/** DESIGN 4.5: a policy, as a timer's `user_event`. */
export const policy = PolicySchema();

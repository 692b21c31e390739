import { PolicySchema } from "../../shared/snapshots/policy-schema.ts";

/** DESIGN 4.5: a policy, as a timer's `user_event`. */
export const policy = PolicySchema();

import { PolicySchema } from "../../shared/snapshots/policy-schema.ts";

/** Validates the `user_event` of the scheduled-snapshots timer, which is a policy. */
export const policy = PolicySchema();

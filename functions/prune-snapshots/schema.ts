import { PrunePolicySchema } from "../../shared/snapshots/policy-schema.ts";

/**
 * Validates the `user_event` of the timer: the policy of scheduled-snapshots. The targets are optional, because prune works on
 * the snapshots that the policy created.
 */
export const policy = PrunePolicySchema();

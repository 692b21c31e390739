import { PrunePolicySchema } from "../../shared/snapshots/policy-schema.ts";

/**
 * Validates the `user_event` of the prune-snapshots timer: a policy, as for scheduled-snapshots. The field `targets` is
 * optional, because prune-snapshots ignores it.
 */
export const policy = PrunePolicySchema();

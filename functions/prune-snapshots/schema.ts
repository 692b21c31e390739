import { PrunePolicySchema } from "../../shared/snapshots/policy-schema.ts";

/**
 * Validates the `user_event` of the prune-snapshots timer: a policy, as for scheduled-snapshots. The field `targets` is
 * optional, because prune-snapshots ignores it. Without the field `retention`, prune-snapshots deletes only duplicates.
 */
export const policy = PrunePolicySchema();

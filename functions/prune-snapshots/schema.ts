import { PrunePolicySchema } from "../../shared/snapshots/policy-schema.ts";

/**
 * Validates the `user_event` of the prune-snapshots timer. It is the same policy as for scheduled-snapshots, but `targets`
 * is optional, because prune-snapshots works on snapshots that exist.
 */
export const policy = PrunePolicySchema();

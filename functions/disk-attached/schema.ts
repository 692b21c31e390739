import { RetentionSchema } from "../../shared/snapshots/policy-schema.ts";

/** Validates the variable DISK_ATTACHED_RETENTION, which has the same format as `retention` in a policy. */
export const retention = RetentionSchema();

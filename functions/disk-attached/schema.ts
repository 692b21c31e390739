import { RetentionSchema } from "../../shared/snapshots/policy-schema.ts";

/** Validates the variable DISK_ATTACHED_RETENTION, which contains the retention of a policy. */
export const retention = RetentionSchema();

import { RetentionSchema } from "../../shared/snapshots/policy-schema.ts";

/** DISK_ATTACHED_RETENTION: the retention of a policy (DESIGN 4.5). */
export const retention = RetentionSchema();

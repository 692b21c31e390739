import { PrunePolicySchema } from "../../shared/snapshots/policy-schema.ts";

/** DESIGN 4.5: the same policy as the schedule's; its targets may be left out, as retention goes over what it made. */
export const policy = PrunePolicySchema();

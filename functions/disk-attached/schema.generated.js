// Made from schema.ts by `npm run generate`. Do not edit.
const part0 = {"type":"integer","minimum":0};
export const retention = {"type":"object","properties":{"keep_last":part0,"keep_within_days":part0,"keep_daily":part0,"keep_weekly":part0,"keep_monthly":part0,"keep_yearly":part0,"min_keep":{"type":"integer","minimum":1}},"additionalProperties":false};

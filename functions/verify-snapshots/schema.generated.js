// Made from schema.ts by `npm run generate`. Do not edit.
const part0 = {"type":"integer","minimum":1};
export const lookback = {"type":"object","properties":{"lookback_minutes":part0,"stuck_after_minutes":part0},"additionalProperties":false};

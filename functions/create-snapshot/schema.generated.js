// Made from schema.ts by `npm run generate`. Do not edit.
const part0 = ["snapshot"];
const part1 = ["volume_id"];
const part2 = {"type":"string","pattern":"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$","x-expected":"a UUID"};
const part3 = {"type":"boolean"};
const part4 = {"type":"object","additionalProperties":{"type":"string"},"propertyNames":{"pattern":"^(?!(managed-by|policy|key|content)$)","x-expected":"a key other than managed-by, policy, key, content, which identify snapshots created by snapshot-functions"}};
const part5 = [{"pattern":"^(?!\\s*[Aa][Uu][Tt][Oo][Bb][Kk]_[Ss][Nn][Aa][Pp][Ss][Hh][Oo][Tt]_)","x-expected":"a name that does not begin with autobk_snapshot_, which backups use"},{"pattern":"^(?!\\s*[Mm][Aa][Nn][Uu][Aa][Ll][Bb][Kk]_[Ss][Nn][Aa][Pp][Ss][Hh][Oo][Tt]_)","x-expected":"a name that does not begin with manualbk_snapshot_, which backups use"}];
export const classic = {"type":"object","required":part0,"properties":{"snapshot":{"type":"object","required":part1,"properties":{"volume_id":part2,"force":part3,"metadata":part4,"description":{"type":["string","null"],"x-max-bytes":255},"name":{"type":"string","x-max-bytes":255,"allOf":part5}},"additionalProperties":false}},"additionalProperties":false};
export const current = {"type":"object","required":part0,"properties":{"snapshot":{"type":"object","required":part1,"properties":{"volume_id":part2,"force":part3,"metadata":part4,"description":{"type":"string","maxLength":85},"name":{"type":"string","maxLength":64,"allOf":part5}},"additionalProperties":false}},"additionalProperties":false};

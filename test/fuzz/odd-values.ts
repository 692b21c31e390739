/** Lists values that often cause bugs in programs that parse responses. */

// biome-ignore format: values are easier to read in rows
export const STATUSES = [
  "creating", "available", "avaialble", "error", "deleting", "deleted", "error_deleting", "error_creating",
  "failed", "AVAILABLE", "CREATING", "UNAVAILABLE", "RESTORING", "in-use", "attaching", "detaching", "reserved",
  "backing-up", "rollbacking", "SUCCESS", "FAIL", "quantum", " available", "Available ", "available\u0000",
];
// biome-ignore format: values are easier to read in rows
export const DATES = [
  "0001-01-01T00:00:00.000000", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00.000000", "2014-12-31T23:59:59",
  "2026-11-21T02:00:00.000000", "2026-11-21T01:59:59Z", "2030-01-01T00:00:00", "9999-12-31T23:59:59.999999",
  "2026-13-45T99:99:99", "2026-02-30T00:00:00", "2026-11-21", "yesterday", "Sat, 21 Nov 2026 02:00:00 GMT",
  "+275760-09-13T00:00:00.000Z", "1763690400000", "2026/11/21 02:00:00 GMT+08:00", "2026-11-21T02:00:00+25:00",
];
// biome-ignore format: values are easier to read in rows
export const NAMES = [
  "id", "status", "name", "count", "snapshots", "snapshot", "error", "code", "error_code", "errorCode", "errCode",
  "message", "error_msg", "metadata", "tags", "volume_id", "server_id", "cluster_id", "description", "created_at",
  "started", "snapshot_group_id", "job_id", "request_id", "type", "snapshot_type", "attachments", "itemNotFound",
  "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "then", "toJSON", "length", "",
  "0",
];
// biome-ignore format: values are easier to read in rows
export const STRINGS = [
  "", " ", "null", "undefined", "true", "0", "NaN", "[object Object]", "__proto__", "constructor", "toString",
  "then", "../../etc/passwd", "..%2f..%2f", "a/b?c=d#e", "%00", "$(id)", "{{x}}", "<script>alert(1)</script>",
  "'; --", "a\u0000b", "a\nb\r\nc", "\u001b[31mred\u001b[0m", "\u0085\u009b31m", "\u2028\u2029",
  "\u202eevil\u202c", "\ufeffbom", "\ud800", "\udc00x", "\u{1f4be}".repeat(50), "e\u0301", "\uffff",
  "autobk_snapshot_1", "manualbk_snapshot_1", "hold",
  "managed-by:snapshot-functions policy:nightly key:00000000000000000000000000000000 content:00000000",
];
// biome-ignore format: values are easier to read in rows
export const NUMBERS = [
  0, -0, 1, -1, 0.5, 7, 404, 500, 1_000, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e308, -1e308, 5e-324,
];

/** The maximum event and result of a synchronous invocation, in bytes (SOURCES.md#functiongraph-limits). */
export const MAX_SYNC_PAYLOAD = 6 * 1024 * 1024;
/** The maximum event and result of an asynchronous invocation, in bytes (SOURCES.md#functiongraph-limits). */
export const MAX_ASYNC_PAYLOAD = 256 * 1024;
/** A timer's `user_event` has fewer bytes than this (SOURCES.md#functiongraph-user-event-limit). */
export const USER_EVENT_LIMIT = 2 * 1024;
/** The maximum body of a request to the API gateway, in bytes (SOURCES.md#functiongraph-limits). */
export const MAX_GATEWAY_BODY = 4 * 1024 * 1024;

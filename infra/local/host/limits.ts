/**
 * The maximum size of the event of a synchronous invocation, in bytes. The same limit applies to the result
 * (SOURCES.md#functiongraph-limits).
 */
export const MAX_SYNC_PAYLOAD = 6 * 1024 * 1024;
/**
 * The maximum size of the event of an asynchronous invocation, in bytes. The same limit applies to the result
 * (SOURCES.md#functiongraph-limits).
 */
export const MAX_ASYNC_PAYLOAD = 256 * 1024;
/**
 * The limit for the `user_event` of a timer, in bytes. The `user_event` must be smaller than this limit
 * (SOURCES.md#functiongraph-user-event-limit).
 */
export const USER_EVENT_LIMIT = 2 * 1024;
/** The maximum size of the request body that the API gateway accepts, in bytes (SOURCES.md#functiongraph-limits). */
export const MAX_GATEWAY_BODY = 4 * 1024 * 1024;

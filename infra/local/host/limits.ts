/** The maximum bytes of the event, and of the result, of a synchronous invocation (SOURCES.md#functiongraph-limits). */
export const MAX_SYNC_PAYLOAD = 6 * 1024 * 1024;
/** The maximum bytes of the event, and of the result, of an asynchronous invocation (SOURCES.md#functiongraph-limits). */
export const MAX_ASYNC_PAYLOAD = 256 * 1024;
/**
 * The limit for the `user_event` of a timer, in bytes. The `user_event` must be smaller than this limit
 * (SOURCES.md#functiongraph-user-event-limit).
 */
export const USER_EVENT_LIMIT = 2 * 1024;
/** The maximum body size of a request to the API gateway in bytes (SOURCES.md#functiongraph-limits). */
export const MAX_GATEWAY_BODY = 4 * 1024 * 1024;

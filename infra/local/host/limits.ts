/** Limits of the platform in bytes (functiongraph.md 1.7). */
export const SYNC_PAYLOAD = 6 * 1024 * 1024;
export const ASYNC_PAYLOAD = 256 * 1024;
/** Of a timer's user_event: it has less (functiongraph.md 8). */
export const TIMER_USER_EVENT = 2 * 1024;
export const APIG_BODY = 4 * 1024 * 1024;

import { readTimer, type TimerEvent } from "../functiongraph/read-timer.ts";
import { summary } from "./run-summary.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** The maximum length of a policy's name in characters. A longer name is invalid, and the records do not contain it. */
const MAX_POLICY_CHARACTERS = 38;

/** The trigger reader of timers. The `user_event` in a timer event is the body of the request. */
export const timerEvent: TriggerReader<TimerEvent, void> = {
  read(event, invocation) {
    const timer = readTimer(event);
    const { policy } = timer.body;
    invocation.eventTime = timer.time;
    if (typeof policy === "string" && policy.length <= MAX_POLICY_CHARACTERS) invocation.summary.policy = policy;
    return timer;
  },
  summary,
};

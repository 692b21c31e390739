import { readTimer, type TimerEvent } from "../functiongraph/read-timer.ts";
import { summary } from "./run-summary.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** The maximum length of a policy's name. */
const MAX_NAME_CHARACTERS = 38;

/** Reads the event of a timer, whose `user_event` is the body of the request. */
export const timerEvent: TriggerReader<TimerEvent, void> = {
  read(event, invocation) {
    const timer = readTimer(event);
    const { policy } = timer.body;
    invocation.eventTime = timer.time;
    if (typeof policy === "string" && policy.length <= MAX_NAME_CHARACTERS) invocation.summary.policy = policy;
    return timer;
  },
  summary,
};

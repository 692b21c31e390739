import { busyDisk } from "./busy-disk.ts";
import { failedGroup } from "./failed-group.ts";
import { gateCloses, gateOpens } from "./gate.ts";
import { killed } from "./killed.ts";
import { lateList } from "./late-list.ts";
import { lostReply } from "./lost-reply.ts";
import { redelivery } from "./redelivery.ts";
import type { Scenario } from "./scenario.ts";
import { throttledAccount } from "./throttled-account.ts";

/** All scenarios, in the order of the list that the command prints. */
export const SCENARIOS: readonly Scenario[] = [
  lostReply,
  redelivery,
  lateList,
  killed,
  throttledAccount,
  busyDisk,
  failedGroup,
  gateOpens,
  gateCloses,
];

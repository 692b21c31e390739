/** Calls `waitUntilAttached` with an event. The test defines the disks that EVS returns at each poll. */
import { after, before } from "../../shared/core/instant.ts";
import { type AttachmentEvent, type DiskReader, waitUntilAttached } from "../../shared/snapshots/create/attachment.ts";
import type { Volume } from "../../shared/snapshots/ports.ts";
import { cloudError, createVirtualClock, START } from "./domain.ts";

export type Attachment = Volume["attachments"][number];

export const SERVER = "server-1";
export const HERE: Attachment = { id: "attachment-1", serverId: SERVER, attachedAt: START };
export const ELSEWHERE: Attachment = { id: "attachment-2", serverId: "server-2", attachedAt: START };

export const disk = (attachments: Attachment[] = [], changes: Partial<Volume> = {}): Volume => ({
  id: "disk-1",
  status: attachments.length > 0 ? "in-use" : "available",
  shared: false,
  attachments,
  ...changes,
});

interface Options {
  /** How many milliseconds ago the event happened, or null if the event has no time. */
  age?: number | null;
  seconds?: number;
  /** False if the event does not name the disk. */
  named?: boolean;
  /** The index of a poll that fails with a transient error. */
  failAt?: number;
  stage?: AttachmentEvent["stage"];
  /** The ids of the disks that another event has already created a snapshot of. */
  withSnapshot?: string[];
}

/** Calls `waitUntilAttached`. Each element of `polls` is the response to one poll. The last element also answers later polls. */
export async function waitFor(polls: (Volume | Volume[])[], options: Options = {}) {
  const { age = 0, seconds = 60, named = true, failAt = -1, stage, withSnapshot = [] } = options;
  const time = createVirtualClock();
  const requests: string[] = [];
  const nextPoll = (request: string) => {
    if (requests.push(`${time.seconds()} s ${request}`) - 1 === failAt) throw cloudError("CloudError");
    return [polls[Math.min(requests.length, polls.length) - 1] ?? []].flat();
  };
  const disks: DiskReader = {
    show: async (id) => nextPoll(`show ${id}`)[0] as Volume,
    ofServer: async (id) => nextPoll(`disks of ${id}`),
  };
  const attaching: AttachmentEvent = {
    serverId: SERVER,
    volumeId: named ? "disk-1" : undefined,
    time: age === null ? undefined : before(START, age),
    stage,
  };
  const retryBudget = { time, deadline: after(START, seconds * 1000) };
  const result = await waitUntilAttached(attaching, disks, retryBudget, async ({ volumeId }) =>
    withSnapshot.includes(volumeId),
  ).catch((error) => error);
  return { result, requests, seconds: time.seconds() };
}

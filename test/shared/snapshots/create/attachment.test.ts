import { describe, expect, test } from "vitest";
import { after, before, instant } from "../../../../shared/core/instant.ts";
import { type AttachmentEvent, type Disks, untilAttached } from "../../../../shared/snapshots/create/attachment.ts";
import type { Volume } from "../../../../shared/snapshots/ports.ts";
import { cloudError, HOUR_MS, MINUTE_MS, START, virtualTime } from "../../../support/domain.ts";

type Attachment = Volume["attachments"][number];

const SERVER = "server-1";
const HERE: Attachment = { id: "attachment-1", serverId: SERVER, attachedAt: START };
const ELSEWHERE: Attachment = { id: "attachment-2", serverId: "server-2", attachedAt: START };

const disk = (attachments: Attachment[] = [], changes: Partial<Volume> = {}): Volume => ({
  id: "disk-1",
  status: attachments.length > 0 ? "in-use" : "available",
  shared: false,
  attachments,
  ...changes,
});

interface Options {
  /** The age of the event in milliseconds, or null if the event has no time. */
  age?: number | null;
  seconds?: number;
  named?: boolean;
  failAt?: number;
  stage?: AttachmentEvent["stage"];
  /** The disks of which another event has already created a snapshot. */
  taken?: string[];
}

/** Waits for a disk that has the given state at each poll. The last state remains. */
async function waitFor(looks: (Volume | Volume[])[], options: Options = {}) {
  const { age = 0, seconds = 60, named = true, failAt = -1, stage, taken = [] } = options;
  const time = virtualTime();
  const seen: string[] = [];
  const next = (what: string) => {
    if (seen.push(`${time.seconds()} s ${what}`) - 1 === failAt) throw cloudError("CloudError");
    return [looks[Math.min(seen.length, looks.length) - 1] ?? []].flat();
  };
  const disks: Disks = {
    show: async (id) => next(`show ${id}`)[0] as Volume,
    ofServer: async (id) => next(`disks of ${id}`),
  };
  const attaching: AttachmentEvent = {
    serverId: SERVER,
    volumeId: named ? "disk-1" : undefined,
    time: age === null ? undefined : before(START, age),
    stage,
  };
  const retryBudget = { time, deadline: after(START, seconds * 1000) };
  const result = await untilAttached(attaching, disks, retryBudget, async ({ volumeId }) =>
    taken.includes(volumeId),
  ).catch((error) => error);
  return { result, seen, seconds: time.seconds(), slept: time.slept };
}

describe("untilAttached for an event that names the disk", () => {
  test("untilAttached returns an attached disk with the id and time of the attachment from EVS", async () => {
    const { result, seen } = await waitFor([disk([HERE])]);
    expect(result).toEqual([{ volumeId: "disk-1", attachmentId: "attachment-1", attachedAt: START }]);
    expect(seen).toEqual(["0 s show disk-1"]);
  });

  test("untilAttached returns an attached disk however old the event is", async () => {
    const { result } = await waitFor([disk([HERE])], { age: 30 * HOUR_MS });
    expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("untilAttached derives the attachment id from disk, server and time if EVS returns none", async () => {
    const { id: _, ...nameless } = HERE;
    expect((await waitFor([disk([nameless])])).result).toEqual([
      { volumeId: "disk-1", attachmentId: `disk-1 server-1 ${START}`, attachedAt: START },
    ]);
  });

  test("untilAttached returns no attachment id if EVS returns neither an id nor a time, or the id of the disk", async () => {
    expect((await waitFor([disk([{ serverId: SERVER }])])).result).toEqual([{ volumeId: "disk-1" }]);
    expect((await waitFor([disk([{ id: "disk-1", serverId: SERVER }])])).result).toEqual([{ volumeId: "disk-1" }]);
  });

  test("untilAttached polls after 1 s, 2 s, 4 s, 8 s, and then every 10 s", async () => {
    const free = disk();
    const { result, seen } = await waitFor([free, free, free, free, free, free, free, disk([HERE])], { seconds: 90 });
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(seen.map((look) => look.split(" ")[0])).toEqual(["0", "1", "3", "7", "15", "25", "35", "45"]);
  });

  test.each(["attaching", "ATTACHING", "reserved", "Reserved"])(
    "untilAttached waits for a disk with the status %s",
    async (status) => {
      const { result, seconds } = await waitFor([disk([HERE], { status }), disk([HERE])]);
      expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
      expect(seconds).toBe(1);
    },
  );

  test("untilAttached treats a disk as attached if its status only begins or ends with attaching", async () => {
    expect((await waitFor([disk([HERE], { status: "attaching-soon" })])).seconds).toBe(0);
    expect((await waitFor([disk([HERE], { status: "un-reserved" })])).seconds).toBe(0);
  });

  test("untilAttached finds the attachment to the server on a disk that several servers share", async () => {
    const { result } = await waitFor([disk([ELSEWHERE, HERE], { shared: true })]);
    expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("untilAttached skips a disk that is attached to another server", async () => {
    const { result, seen } = await waitFor([disk([ELSEWHERE])]);
    expect(result).toEqual({
      volumeId: "disk-1",
      skipped: "The disk is attached to another server, not to server-1.",
    });
    expect(seen).toHaveLength(1);
  });

  test("untilAttached waits for a shared disk that is attached to other servers", async () => {
    const others = disk([ELSEWHERE], { shared: true });
    expect((await waitFor([others, disk([ELSEWHERE, HERE], { shared: true })])).result).toMatchObject([
      {
        attachmentId: "attachment-1",
      },
    ]);
  });

  test("untilAttached waits for a disk with an attachment that names no server", async () => {
    expect((await waitFor([disk([{ id: "attachment-1" }]), disk([HERE])])).result).toMatchObject([
      {
        attachmentId: "attachment-1",
      },
    ]);
  });

  test("untilAttached waits for an unfinished attachment to the server although the disk has another attachment", async () => {
    const both = disk([ELSEWHERE, HERE], { status: "attaching" });
    expect((await waitFor([both, disk([HERE])])).result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("untilAttached does not skip a free disk if the event has no time or a time in the future", async () => {
    for (const age of [null, -24 * HOUR_MS]) {
      expect((await waitFor([disk()], { age, seconds: 20 })).result).toMatchObject({ reason: "DeadlineExceeded" });
      expect((await waitFor([disk([HERE])], { age })).result).toMatchObject([{ volumeId: "disk-1" }]);
    }
  });

  test("untilAttached skips a disk that is free more than an hour after the event", async () => {
    const { result } = await waitFor([disk()], { age: HOUR_MS + 1 });
    expect(result).toEqual({
      volumeId: "disk-1",
      skipped: "The disk is not attached to server-1, and the event is more than an hour old.",
    });
    const younger = await waitFor([disk(), disk([HERE])], { age: HOUR_MS });
    expect(younger.result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("untilAttached fails if the disk is not attached in time, so the platform delivers the event again", async () => {
    const { result, seconds } = await waitFor([disk()], { seconds: 20 });
    expect(result).toMatchObject({
      reason: "DeadlineExceeded",
      message:
        'Expected the disk disk-1 to be attached to server-1; its status is still "available". The platform delivers the event again.',
    });
    expect(seconds).toBe(15);
  });

  test("untilAttached fails before the deadline if another poll would be too late", async () => {
    expect((await waitFor([disk(), disk([HERE])], { seconds: 1 })).seconds).toBe(0);
    expect((await waitFor([disk(), disk([HERE])], { seconds: 1.001 })).result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("untilAttached reads the disk again after a transient error", async () => {
    const { result, seen } = await waitFor([disk([HERE])], { failAt: 0 });
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(seen).toHaveLength(2);
  });
});

describe("untilAttached for an event that does not name the disk", () => {
  const NAMELESS = { named: false };
  const other = (attachments: Attachment[]) => disk(attachments, { id: "disk-2" });
  const at = (minutes: number): Attachment => ({ ...HERE, attachedAt: instant(START + minutes * MINUTE_MS) });

  test("untilAttached returns the disk that was attached within 10 minutes of the event", async () => {
    const before = await waitFor([[disk([at(-10)]), other([at(-11)])]], NAMELESS);
    expect(before.result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(before.seen).toEqual(["0 s disks of server-1"]);
    const afterwards = await waitFor([[other([at(11)]), disk([at(10)])]], NAMELESS);
    expect(afterwards.result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("untilAttached ignores a disk that was attached to another server near the time of the event", async () => {
    const found = [disk([at(0)]), other([{ ...ELSEWHERE, attachedAt: START }])];
    expect((await waitFor([found], NAMELESS)).result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("untilAttached finds the attachment near the time of the event on a disk with an old attachment elsewhere", async () => {
    const shared = disk([{ ...ELSEWHERE, attachedAt: instant(0) }, at(0)], { shared: true });
    expect((await waitFor([[shared, other([at(-60)])]], NAMELESS)).result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("untilAttached returns the only disk of the server shortly before the deadline", async () => {
    const { result, seconds } = await waitFor([[disk([at(-60)])]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    // The create of the snapshot needs the remaining 12 s.
    expect(seconds).toBe(45);
    expect((await waitFor([[disk([at(-60)])]], { ...NAMELESS, seconds: 27 })).seconds).toBe(7);
  });

  test("untilAttached returns the disk that is attached during the wait rather than the only disk at its start", async () => {
    const { result, seconds } = await waitFor([[disk([at(-60)])], [disk([at(-60)]), other([at(0)])]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-2" }]);
    expect(seconds).toBe(1);
  });

  test("untilAttached returns the only disk of the server at once if the event is old", async () => {
    const { seconds, result } = await waitFor([[disk([at(-60)])]], { ...NAMELESS, age: 10 * MINUTE_MS + 1 });
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(seconds).toBe(0);
    expect((await waitFor([[disk([at(-60)])]], { ...NAMELESS, age: 10 * MINUTE_MS })).seconds).toBeGreaterThan(0);
  });

  test("untilAttached returns the only disk of the server if the time of its attachment is unreadable", async () => {
    const { result } = await waitFor([[disk([{ id: "attachment-1", serverId: SERVER }])]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-1", attachmentId: "attachment-1" }]);
  });

  test("untilAttached returns each disk that was attached within 10 minutes of an event that names none", async () => {
    const { result, seen } = await waitFor(
      [[disk([at(-10)]), other([at(1)]), disk([at(11)], { id: "disk-3" })]],
      NAMELESS,
    );
    expect(result).toMatchObject([{ volumeId: "disk-1" }, { volumeId: "disk-2" }]);
    expect(seen).toHaveLength(1);
  });

  test("untilAttached waits for a recent disk that is still attaching, and returns the others if it remains so", async () => {
    const both = (status: string) => [disk([at(0)]), disk([at(0)], { id: "disk-2", status })];
    const patient = await waitFor([both("attaching"), both("in-use")], NAMELESS);
    expect(patient.result).toMatchObject([{ volumeId: "disk-1" }, { volumeId: "disk-2" }]);
    expect(patient.seconds).toBe(1);
    const late = await waitFor([both("attaching")], NAMELESS);
    expect(late.result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(late.seconds).toBe(45);
  });

  test("untilAttached waits for a later disk if all recent ones were attached before the request", async () => {
    const requested = { ...NAMELESS, stage: "requested" } as const;
    const second = 1 / 60;
    const before = disk([at(-1 - second)]);
    const { result, seconds } = await waitFor([[before], [before, other([at(0)])]], requested);
    expect(result).toMatchObject([{ volumeId: "disk-1" }, { volumeId: "disk-2" }]);
    expect(seconds).toBe(1);
    expect((await waitFor([[before]], requested)).seconds).toBe(45);
    expect((await waitFor([[disk([at(-1)])]], requested)).seconds).toBe(0);
    expect((await waitFor([[before]], { ...NAMELESS, stage: "completed" })).seconds).toBe(0);
  });

  test.each<[what: string, age: number | null]>([
    ["has no time", null],
    ["is more than 10 minutes ahead of the clock", -10 * MINUTE_MS - 1],
  ])("untilAttached returns the disks of the last hour if the event %s", async (_what, age) => {
    const timeless = { ...NAMELESS, age };
    const found = await waitFor([[disk([at(-60)]), other([at(-61)])]], timeless);
    expect(found.result).toMatchObject([{ volumeId: "disk-1" }]);
    // The only disk of the server is returned as a guess, however old the event is.
    const only = await waitFor([[disk([at(-61)])]], timeless);
    expect(only.result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(only.seconds).toBe(45);
  });

  test("untilAttached returns the disk that has a snapshot from another event if EVS returns no times", async () => {
    const several = [disk([{ serverId: SERVER }]), other([{ serverId: SERVER }])];
    const { result, seconds } = await waitFor([several], { ...NAMELESS, taken: ["disk-2"] });
    expect(result).toEqual([{ volumeId: "disk-2" }]);
    expect(seconds).toBe(0);
    expect((await waitFor([several], NAMELESS)).result).toMatchObject({ reason: "DeadlineExceeded" });
  });

  test("untilAttached returns the disk that is attached during the wait if EVS returns no times", async () => {
    const before = disk([{ serverId: SERVER }]);
    const { result, seconds } = await waitFor([[before], [before, other([{ serverId: SERVER }])]], NAMELESS);
    expect(result).toEqual([{ volumeId: "disk-2" }]);
    expect(seconds).toBe(1);
  });

  test("untilAttached never returns one of several older disks because it has a snapshot of its own", async () => {
    const several = [disk([at(-60)]), other([at(-70)])];
    const { result } = await waitFor([several], { ...NAMELESS, taken: ["disk-1", "disk-2"] });
    expect(result).toMatchObject({ reason: "DeadlineExceeded" });
  });

  test("untilAttached waits if the server has several disks and none was attached near the time of the event", async () => {
    const older = [disk([at(-60)]), other([at(-70)])];
    const { result } = await waitFor([older, [...older, disk([at(0)], { id: "disk-3" })]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-3" }]);
  });

  test("untilAttached fails if no disk is attached in time, so the platform delivers the event again", async () => {
    const { result } = await waitFor([[]], { ...NAMELESS, seconds: 20 });
    expect(result).toMatchObject({
      reason: "DeadlineExceeded",
      message:
        "Expected a disk to be attached to server-1; no disk was attached in time. The platform delivers the event again.",
    });
    const older = [disk([at(-60)]), other([at(-70)])];
    expect((await waitFor([older], { ...NAMELESS, seconds: 20 })).result.message).toContain(
      "no disk was attached in time",
    );
  });

  test("untilAttached names the disk that was still being attached at the deadline", async () => {
    const { result } = await waitFor([[disk([at(0)], { status: "attaching" })]], { ...NAMELESS, seconds: 20 });
    expect(result.message).toContain(
      'Expected the disk disk-1 to be attached to server-1; its status is still "attaching"',
    );
  });
});

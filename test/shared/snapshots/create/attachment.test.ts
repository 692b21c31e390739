import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import { HOUR_MS, MINUTE_MS, START } from "../../../support/domain.ts";
import { type Attachment, disk, ELSEWHERE, HERE, SERVER, waitFor } from "../../../support/until-attached.ts";

describe("waitUntilAttached for an event that names the disk", () => {
  test("waitUntilAttached returns an attached disk with the id and time of the attachment from EVS", async () => {
    const { result, requests } = await waitFor([disk([HERE])]);
    expect(result).toEqual([{ volumeId: "disk-1", attachmentId: "attachment-1", attachedAt: START }]);
    expect(requests).toEqual(["0 s show disk-1"]);
  });

  test("waitUntilAttached returns an attached disk even if the event is 30 hours old", async () => {
    const { result } = await waitFor([disk([HERE])], { age: 30 * HOUR_MS });
    expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("waitUntilAttached derives an attachment id from disk, server and time if EVS returns no attachment id", async () => {
    const { id: _, ...nameless } = HERE;
    expect((await waitFor([disk([nameless])])).result).toEqual([
      { volumeId: "disk-1", attachmentId: `disk-1 server-1 ${START}`, attachedAt: START },
    ]);
  });

  test("waitUntilAttached omits the attachment id if EVS returns the disk id instead, or returns neither an attachment id nor an attachment time", async () => {
    expect((await waitFor([disk([{ serverId: SERVER }])])).result).toEqual([{ volumeId: "disk-1" }]);
    expect((await waitFor([disk([{ id: "disk-1", serverId: SERVER }])])).result).toEqual([{ volumeId: "disk-1" }]);
  });

  test("waitUntilAttached polls after 1 s, 2 s, 4 s, 8 s, and then every 10 s", async () => {
    const free = disk();
    const { result, requests } = await waitFor([free, free, free, free, free, free, free, disk([HERE])], {
      seconds: 90,
    });
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(requests.map((request) => request.split(" ")[0])).toEqual(["0", "1", "3", "7", "15", "25", "35", "45"]);
  });

  test.each(["attaching", "ATTACHING", "reserved", "Reserved"])(
    "waitUntilAttached waits while the disk has the status %s",
    async (status) => {
      const { result, seconds } = await waitFor([disk([HERE], { status }), disk([HERE])]);
      expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
      expect(seconds).toBe(1);
    },
  );

  test("waitUntilAttached does not wait for a disk whose status merely contains the word attaching or reserved", async () => {
    expect((await waitFor([disk([HERE], { status: "attaching-soon" })])).seconds).toBe(0);
    expect((await waitFor([disk([HERE], { status: "un-reserved" })])).seconds).toBe(0);
  });

  test("waitUntilAttached finds the server's attachment of a shared disk that is also attached to another server", async () => {
    const { result } = await waitFor([disk([ELSEWHERE, HERE], { shared: true })]);
    expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("waitUntilAttached skips a disk that is attached to another server", async () => {
    const { result, requests } = await waitFor([disk([ELSEWHERE])]);
    expect(result).toEqual({
      volumeId: "disk-1",
      skipped: "The disk is attached to another server, not to server-1.",
    });
    expect(requests).toHaveLength(1);
  });

  test("waitUntilAttached waits if a shared disk is so far attached only to other servers", async () => {
    const others = disk([ELSEWHERE], { shared: true });
    const { result } = await waitFor([others, disk([ELSEWHERE, HERE], { shared: true })]);
    expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("waitUntilAttached waits if the only attachment of the disk names no server", async () => {
    const { result } = await waitFor([disk([{ id: "attachment-1" }]), disk([HERE])]);
    expect(result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("waitUntilAttached waits for an unfinished attachment to the server even if the disk is also attached to another server", async () => {
    const both = disk([ELSEWHERE, HERE], { status: "attaching" });
    expect((await waitFor([both, disk([HERE])])).result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("waitUntilAttached does not skip an unattached disk if the event has no time or a time in the future", async () => {
    for (const age of [null, -24 * HOUR_MS]) {
      expect((await waitFor([disk()], { age, seconds: 20 })).result).toMatchObject({ reason: "DeadlineExceeded" });
      expect((await waitFor([disk([HERE])], { age })).result).toMatchObject([{ volumeId: "disk-1" }]);
    }
  });

  test("waitUntilAttached skips a disk that is still unattached more than an hour after the event", async () => {
    const { result } = await waitFor([disk()], { age: HOUR_MS + 1 });
    expect(result).toEqual({
      volumeId: "disk-1",
      skipped: "The disk is not attached to server-1, and the event is more than an hour old.",
    });
    const younger = await waitFor([disk(), disk([HERE])], { age: HOUR_MS });
    expect(younger.result).toMatchObject([{ attachmentId: "attachment-1" }]);
  });

  test("waitUntilAttached fails if the disk is not attached in time, so the platform delivers the event again", async () => {
    const { result, seconds } = await waitFor([disk()], { seconds: 20 });
    expect(result).toMatchObject({
      reason: "DeadlineExceeded",
      message:
        'Expected the disk disk-1 to be attached to server-1; its status is still "available". The platform delivers the event again.',
    });
    expect(seconds).toBe(15);
  });

  test("waitUntilAttached fails at once if the next poll would be at or after the deadline", async () => {
    expect((await waitFor([disk(), disk([HERE])], { seconds: 1 })).seconds).toBe(0);
    expect((await waitFor([disk(), disk([HERE])], { seconds: 1.001 })).result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("waitUntilAttached reads the disk again after a transient error", async () => {
    const { result, requests } = await waitFor([disk([HERE])], { failAt: 0 });
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(requests).toHaveLength(2);
  });
});

describe("waitUntilAttached for an event that does not name the disk", () => {
  const NAMELESS = { named: false };
  const other = (attachments: Attachment[]) => disk(attachments, { id: "disk-2" });
  const at = (minutes: number): Attachment => ({ ...HERE, attachedAt: instant(START + minutes * MINUTE_MS) });

  test("waitUntilAttached returns the disk that was attached at most 10 minutes before or after the event", async () => {
    const before = await waitFor([[disk([at(-10)]), other([at(-11)])]], NAMELESS);
    expect(before.result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(before.requests).toEqual(["0 s disks of server-1"]);
    const afterwards = await waitFor([[other([at(11)]), disk([at(10)])]], NAMELESS);
    expect(afterwards.result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("waitUntilAttached ignores a disk that was attached to another server at the time of the event", async () => {
    const found = [disk([at(0)]), other([{ ...ELSEWHERE, attachedAt: START }])];
    expect((await waitFor([found], NAMELESS)).result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("waitUntilAttached finds the server's recent attachment of a shared disk that was attached to another server long ago", async () => {
    const shared = disk([{ ...ELSEWHERE, attachedAt: instant(0) }, at(0)], { shared: true });
    expect((await waitFor([[shared, other([at(-60)])]], NAMELESS)).result).toMatchObject([{ volumeId: "disk-1" }]);
  });

  test("waitUntilAttached returns the server's only disk shortly before the deadline if that disk was attached an hour ago", async () => {
    const { result, seconds } = await waitFor([[disk([at(-60)])]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    // The poll at 45 s is the last one that leaves 12 s for the create request.
    expect(seconds).toBe(45);
    expect((await waitFor([[disk([at(-60)])]], { ...NAMELESS, seconds: 27 })).seconds).toBe(7);
  });

  test("waitUntilAttached prefers a disk that is attached during the wait to the disk that the server already had", async () => {
    const { result, seconds } = await waitFor([[disk([at(-60)])], [disk([at(-60)]), other([at(0)])]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-2" }]);
    expect(seconds).toBe(1);
  });

  test("waitUntilAttached returns the server's only disk at once if the event is more than 10 minutes old", async () => {
    const { seconds, result } = await waitFor([[disk([at(-60)])]], { ...NAMELESS, age: 10 * MINUTE_MS + 1 });
    expect(result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(seconds).toBe(0);
    expect((await waitFor([[disk([at(-60)])]], { ...NAMELESS, age: 10 * MINUTE_MS })).seconds).toBeGreaterThan(0);
  });

  test("waitUntilAttached returns the server's only disk if EVS returns no attachment time", async () => {
    const { result } = await waitFor([[disk([{ id: "attachment-1", serverId: SERVER }])]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-1", attachmentId: "attachment-1" }]);
  });

  test("waitUntilAttached returns all disks that were attached at most 10 minutes before or after the event", async () => {
    const { result, requests } = await waitFor(
      [[disk([at(-10)]), other([at(1)]), disk([at(11)], { id: "disk-3" })]],
      NAMELESS,
    );
    expect(result).toMatchObject([{ volumeId: "disk-1" }, { volumeId: "disk-2" }]);
    expect(requests).toHaveLength(1);
  });

  test("waitUntilAttached waits for a recent disk with the status attaching, and returns only the attached recent disks if the wait fails", async () => {
    const both = (status: string) => [disk([at(0)]), disk([at(0)], { id: "disk-2", status })];
    const completed = await waitFor([both("attaching"), both("in-use")], NAMELESS);
    expect(completed.result).toMatchObject([{ volumeId: "disk-1" }, { volumeId: "disk-2" }]);
    expect(completed.seconds).toBe(1);
    const unfinished = await waitFor([both("attaching")], NAMELESS);
    expect(unfinished.result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(unfinished.seconds).toBe(45);
  });

  test("after an attach request, waitUntilAttached waits for another disk if all recent disks were attached more than a minute before the request", async () => {
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
  ])("waitUntilAttached returns the disks that were attached in the last hour if the event %s", async (_what, age) => {
    const timeless = { ...NAMELESS, age };
    const found = await waitFor([[disk([at(-60)]), other([at(-61)])]], timeless);
    expect(found.result).toMatchObject([{ volumeId: "disk-1" }]);
    // If no disk was attached in the last hour, the server's only disk is the best guess.
    const only = await waitFor([[disk([at(-61)])]], timeless);
    expect(only.result).toMatchObject([{ volumeId: "disk-1" }]);
    expect(only.seconds).toBe(45);
  });

  test("if EVS returns no attachment times, waitUntilAttached returns the disk of which another event of the same attachment already created a snapshot", async () => {
    const several = [disk([{ serverId: SERVER }]), other([{ serverId: SERVER }])];
    const { result, seconds } = await waitFor([several], { ...NAMELESS, withSnapshot: ["disk-2"] });
    expect(result).toEqual([{ volumeId: "disk-2" }]);
    expect(seconds).toBe(0);
    expect((await waitFor([several], NAMELESS)).result).toMatchObject({ reason: "DeadlineExceeded" });
  });

  test("waitUntilAttached returns the disk that appears during the wait if EVS returns no attachment times", async () => {
    const before = disk([{ serverId: SERVER }]);
    const { result, seconds } = await waitFor([[before], [before, other([{ serverId: SERVER }])]], NAMELESS);
    expect(result).toEqual([{ volumeId: "disk-2" }]);
    expect(seconds).toBe(1);
  });

  test("waitUntilAttached fails if each of several disks was attached an hour or more before the event, even if other events of the same attachments already created snapshots of the disks", async () => {
    const several = [disk([at(-60)]), other([at(-70)])];
    const { result } = await waitFor([several], { ...NAMELESS, withSnapshot: ["disk-1", "disk-2"] });
    expect(result).toMatchObject({ reason: "DeadlineExceeded" });
  });

  test("waitUntilAttached waits for a new disk if all of the server's disks were attached an hour or more before the event", async () => {
    const older = [disk([at(-60)]), other([at(-70)])];
    const { result } = await waitFor([older, [...older, disk([at(0)], { id: "disk-3" })]], NAMELESS);
    expect(result).toMatchObject([{ volumeId: "disk-3" }]);
  });

  test("waitUntilAttached fails if no disk is attached in time, so the platform delivers the event again", async () => {
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

  test("waitUntilAttached names the disk in the error if the disk is still attaching at the deadline", async () => {
    const { result } = await waitFor([[disk([at(0)], { status: "attaching" })]], { ...NAMELESS, seconds: 20 });
    expect(result.message).toContain(
      'Expected the disk disk-1 to be attached to server-1; its status is still "attaching"',
    );
  });
});

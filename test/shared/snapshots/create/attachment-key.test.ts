import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import type { AttachmentStage } from "../../../../shared/snapshots/create/attachment.ts";
import {
  attachmentKey,
  type EventMoment,
  rememberKey,
  unifyAttachmentKeys,
} from "../../../../shared/snapshots/create/attachment-key.ts";
import type { InFlight } from "../../../../shared/snapshots/create/in-flight.ts";
import { deriveKey } from "../../../../shared/snapshots/marker.ts";
import { createFixture, HOUR_MS, MINUTE_MS, markerOf, START, snapshot, snapshotOf } from "../../../support/domain.ts";

const moment = (milliseconds: number, stage?: AttachmentStage): EventMoment => ({
  time: after(START, milliseconds),
  stage,
});
const keyAt = (one: EventMoment, volumeId = "disk-1", serverId = "server-1") =>
  attachmentKey({ volumeId }, serverId, one);
const request = (ms: number) => moment(ms, "requested");
const completion = (ms: number) => moment(ms, "completed");

/** Returns true if the keys that `attachmentKey` accepts for `event` include the key that it derives from `other`. */
const acceptsKeyOf = (event: EventMoment, other: EventMoment) => keyAt(event).keys.has(keyAt(other).key);

const [SAME, OTHER] = ["the same attachment", "different attachments"];
const EITHER = "an event whose stage (requested or completed) is unknown";

describe("attachmentKey", () => {
  test("attachmentKey derives the idempotency key from the attachment id alone if EVS returns an attachment id", () => {
    const attached = { volumeId: "disk-1", attachmentId: "attachment-1" };
    for (const at of [moment(0), completion(HOUR_MS)]) {
      const key = deriveKey("attachment", "attachment-1");
      expect(attachmentKey(attached, "server-1", at)).toEqual({ key, keys: new Set([key]) });
    }
  });

  test("attachmentKey derives the idempotency key from disk, server, event time and stage (requested or completed) if EVS returns no attachment id", () => {
    const keys = [
      keyAt(moment(0)),
      keyAt(request(0)),
      keyAt(completion(0)),
      keyAt(moment(10_000)),
      keyAt(moment(0), "disk-2"),
      keyAt(moment(0), "disk-1", "server-2"),
    ].map(({ key }) => key);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyAt(moment(9_999)).key).toBe(keyAt(moment(0)).key);
  });

  test.each<[events: string, attachments: string, event: EventMoment, other: EventMoment]>([
    ["a request event and its redelivery", SAME, request(0), request(0)],
    ["two request events 10 seconds apart", SAME, request(0), request(10_000)],
    ["two request events 20 seconds apart", OTHER, request(0), request(20_000)],
    ["two completion events 20 seconds apart", OTHER, completion(0), completion(20_000)],
    ["a request event and a completion event 10 minutes later", SAME, request(0), completion(10 * MINUTE_MS)],
    ["a request event and a completion event 11 minutes later", OTHER, request(0), completion(11 * MINUTE_MS)],
    ["a request event and a completion event 20 seconds earlier", SAME, request(0), completion(-20_000)],
    ["a request event and a completion event a minute earlier", OTHER, request(0), completion(-MINUTE_MS)],
    [`${EITHER} and another such event 10 minutes later`, SAME, moment(0), moment(10 * MINUTE_MS)],
    [`${EITHER} and another such event 11 minutes later`, OTHER, moment(0), moment(11 * MINUTE_MS)],
    [`a request event and ${EITHER} 10 minutes earlier`, SAME, request(0), moment(-10 * MINUTE_MS)],
    [`a completion event and ${EITHER} 10 minutes later`, SAME, completion(0), moment(10 * MINUTE_MS)],
    [`a completion event and ${EITHER} 11 minutes later`, OTHER, completion(0), moment(11 * MINUTE_MS)],
  ])(
    "attachmentKey treats %s as events of %s if the disk and the server are the same",
    (_events, attachments, event, other) => {
      const isSame = attachments === SAME;
      expect([acceptsKeyOf(event, other), acceptsKeyOf(other, event)]).toEqual([isSame, isSame]);
    },
  );

  test("attachmentKey returns different keys for events of different disks or different servers", () => {
    const { keys } = keyAt(moment(0));
    expect(keys.has(keyAt(moment(0), "disk-2").key)).toBe(false);
    expect(keys.has(keyAt(moment(0), "disk-1", "server-2").key)).toBe(false);
  });
});

describe("rememberKey", () => {
  const remember = (inFlight: InFlight, one: EventMoment, now = 0) =>
    rememberKey(keyAt(one), inFlight, after(START, now)).key;

  test("rememberKey returns the same key for the request event and the completion event of an attachment", () => {
    const inFlight = new Map();
    const first = remember(inFlight, request(0));
    expect(remember(inFlight, completion(60_000))).toBe(first);
    expect(remember(inFlight, request(HOUR_MS))).not.toBe(first);
    expect(remember(new Map(), completion(60_000))).not.toBe(first);
  });

  test("rememberKey returns the key of the later request event if two request events precede a completion event", () => {
    const inFlight = new Map();
    remember(inFlight, request(0));
    const second = remember(inFlight, request(120_000));
    expect(remember(inFlight, completion(150_000))).toBe(second);
  });

  test("rememberKey forgets the key of a request event after an hour", () => {
    const inFlight = new Map();
    const first = remember(inFlight, request(0));
    expect(remember(inFlight, completion(60_000), HOUR_MS)).toBe(first);
    expect(remember(inFlight, completion(60_000), HOUR_MS + 1)).not.toBe(first);
  });
});

test("unifyAttachmentKeys changes the key of a listed snapshot only if an event of the same attachment created the snapshot", async () => {
  const fixture = createFixture();
  const { key, keys } = keyAt(completion(60_000));
  const first = keyAt(request(0)).key;
  fixture.cloud.add(
    snapshot,
    snapshotOf("a", "disk-1", { marker: { ...markerOf("a"), idempotencyKey: first } }),
    snapshotOf("b", "disk-1"),
    snapshotOf("c", "disk-1", { marker: undefined }),
  );
  const service = unifyAttachmentKeys(fixture.cloud.service(snapshot), { key, keys });
  const found = await service.listFor({ volume_id: "disk-1" });
  expect(found.map(({ id, marker }) => [id, marker?.idempotencyKey])).toEqual([
    ["a", key],
    ["b", markerOf("b").idempotencyKey],
    ["c", undefined],
  ]);
  expect(await service.resources(10)).toEqual([]);
  expect(keyAt(moment(0)).keys.size).toBeLessThan(500);
});

/** Tests that the functions ignore a byte order mark at the start of JSON. */
import { expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { CLASSIC, createFixture, SNAPSHOT } from "../support/creates.ts";
import { apig, createTestEnvironment, nightly, START } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const BYTE_ORDER_MARK = "\ufeff";
const LEVELS = 100_000;
const NESTED_ARRAYS = `${"[".repeat(LEVELS)}${"]".repeat(LEVELS)}`;

test.each([
  ["a plain-text body if isBase64Encoded is false", { isBase64Encoded: false }],
  ["a plain-text body if isBase64Encoded is undefined", { isBase64Encoded: undefined }],
  ["the JSON in a base64 body", undefined],
])("create-snapshot ignores a byte order mark at the start of %s", async (_body, plain) => {
  const fixture = await createFixture(SNAPSHOT);
  const text = BYTE_ORDER_MARK + JSON.stringify(fixture.body());
  const { result } = await fixture.http(apig(text, {}, plain && { body: text, ...plain }));
  expect(result.statusCode).toBe(202);
  expect(fixture.snapshots()).toHaveLength(1);
});

test('scheduled-snapshots ignores a byte order mark at the start of the field "user_event" of a timer event', async () => {
  const { addDisks, cloud, invoke } = await createTestEnvironment();
  const volume_ids = addDisks(1);
  const event = nightly({ volume_ids });
  const user_event = `${BYTE_ORDER_MARK}${event.user_event}`;
  const { result } = await invoke(scheduledSnapshots, { ...event, user_event });
  expect(result.outcomes).toEqual({ accepted: 1 });
  expect(cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual(volume_ids);
});

test("disk-attached ignores a byte order mark at the start of the variable DISK_ATTACHED_RETENTION", async () => {
  const variables = { DISK_ATTACHED_RETENTION: `${BYTE_ORDER_MARK}{"keep_last":2}` };
  const { cloud, invoke } = await createTestEnvironment({ variables });
  const server = cloud.addServer().id;
  const time = Date.parse(START);
  const volume_id = cloud.addVolume({ serverId: server, attachedAt: time }).id;
  const cts = { trace_name: "attachVolume", time, resource_id: server, request: { volume_id } };
  const { result } = await invoke(diskAttached, { cts });
  expect(result.outcomes).toEqual({ accepted: 1 });
  expect(cloud.snapshots("snapshot")).toMatchObject([{ volume_id }]);
});

test.each([
  ["starts with a byte order mark", `${BYTE_ORDER_MARK}{"EVS_LIMITS":"classic"}`],
  ["also contains 100,000 nested arrays", `{"OTHER":${NESTED_ARRAYS},"EVS_LIMITS":"classic"}`],
])(
  "create-snapshot reads EVS_LIMITS from the JSON in RUNTIME_USERDATA if this JSON %s",
  async (_condition, RUNTIME_USERDATA) => {
    const fixture = await createFixture(SNAPSHOT, { evsLimits: CLASSIC.evsLimits });
    const environment = { RUNTIME_USERDATA };
    // A description of 200 characters is too long unless EVS_LIMITS is `classic`.
    const { result } = await fixture.post({ description: "d".repeat(200) }, {}, { environment });
    expect(result.statusCode).toBe(202);
  },
);

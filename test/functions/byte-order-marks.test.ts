/** Tests input that starts with a byte order mark. */
import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { apig, createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const BYTE_ORDER_MARK = "\ufeff";
const LEVELS = 100_000;
const DEEP_ARRAY = `${"[".repeat(LEVELS)}${"]".repeat(LEVELS)}`;

describe("a byte order mark", () => {
  test.each([false, undefined])(
    "create-snapshot ignores a byte order mark before a plain body whose isBase64Encoded is %s",
    async (isBase64Encoded) => {
      const environment = await createTestEnvironment();
      const text = JSON.stringify({ snapshot: { volume_id: environment.cloud.addVolume().id } });
      const { result } = await environment.invoke(
        createSnapshot,
        apig("", {}, { body: BYTE_ORDER_MARK + text, isBase64Encoded }),
      );
      expect(result.statusCode).toBe(202);
      expect(environment.cloud.snapshots("snapshot")).toHaveLength(1);
    },
  );

  test("create-snapshot ignores a byte order mark in a base64 body", async () => {
    const environment = await createTestEnvironment();
    const text = JSON.stringify({ snapshot: { volume_id: environment.cloud.addVolume().id } });
    const { result } = await environment.invoke(createSnapshot, apig(BYTE_ORDER_MARK + text));
    expect(result.statusCode).toBe(202);
    expect(environment.cloud.snapshots("snapshot")).toHaveLength(1);
  });

  test("scheduled-snapshots ignores a byte order mark before the user_event of a timer", async () => {
    const environment = await createTestEnvironment();
    const { id } = environment.cloud.addVolume();
    const policy = JSON.stringify({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids: [id] }] });
    const { result } = await environment.invoke(scheduledSnapshots, timerEvent(BYTE_ORDER_MARK + policy));
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(environment.cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([id]);
  });

  test("disk-attached ignores a byte order mark before DISK_ATTACHED_RETENTION", async () => {
    const environment = await createTestEnvironment({
      variables: { DISK_ATTACHED_RETENTION: `${BYTE_ORDER_MARK}{"keep_last":2}` },
    });
    const server = environment.cloud.addServer().id;
    const disk = environment.cloud.addVolume({ serverId: server, attachedAt: Date.parse(START) }).id;
    const cts = { trace_name: "attachVolume", time: Date.parse(START), resource_id: server };
    const { result } = await environment.invoke(diskAttached, { cts: { ...cts, request: { volume_id: disk } } });
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(environment.cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([disk]);
  });

  test("create-snapshot ignores a byte order mark before RUNTIME_USERDATA", async () => {
    await expectClassicLimits(`${BYTE_ORDER_MARK}{"EVS_LIMITS":"classic"}`);
  });
});

test("create-snapshot reads EVS_LIMITS although another variable of RUNTIME_USERDATA is 100,000 nested arrays", async () => {
  await expectClassicLimits(`{"OTHER":${DEEP_ARRAY},"EVS_LIMITS":"classic"}`);
});

/** Expects that create-snapshot reads `EVS_LIMITS` from the variable, because it accepts a description of 200 characters. */
async function expectClassicLimits(RUNTIME_USERDATA: string) {
  const { cloud, invoke } = await createTestEnvironment({ evsLimits: "classic" });
  const body = { snapshot: { volume_id: cloud.addVolume().id, description: "d".repeat(200) } };
  const { result } = await invoke(createSnapshot, apig(body), { environment: { RUNTIME_USERDATA } });
  expect(result.statusCode).toBe(202);
}

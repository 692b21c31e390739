/** Starts embedded clouds for tests that send requests to them without any function. */
import { onTestFinished, vi } from "vitest";
import { type CloudOptions, type EmbeddedCloud, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import { type Caller, caller, type Reply } from "./cloud-client.ts";

/** The time at which the clock of each embedded cloud starts. */
export const START = "2026-11-21T02:00:00Z";

export interface TestCloud {
  cloud: EmbeddedCloud;
  clock: StoppedClock;
  /** Sends a signed request to the embedded cloud. */
  call: Caller;
}

/** Starts an embedded cloud whose clock stands still. The embedded cloud is closed after the test. */
export async function startTestCloud(options: Omit<CloudOptions, "clock"> = {}): Promise<TestCloud> {
  const clock = new StoppedClock(START);
  const cloud = await startCloud({ ...options, clock });
  onTestFinished(() => cloud.close());
  return { cloud, clock, call: caller(cloud) };
}

/** Starts an embedded cloud that has one disk. The returned function `create` creates a snapshot of the disk. */
export async function startCloudWithDisk(options: Omit<CloudOptions, "clock"> = {}) {
  const { cloud, clock, call } = await startTestCloud(options);
  const { id: volume_id } = cloud.addVolume();
  const create = () => call("POST", "/v2/{p}/cloudsnapshots", { snapshot: { volume_id } });
  return { cloud, clock, call, create, volume_id };
}

/** Stops `Date` for the rest of a test. The embedded cloud compares the date of a signature with `Date`, not with its clock. */
export function wallClockAt(time: string): void {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date(time) });
  onTestFinished(() => void vi.useRealTimers());
}

/** Returns the HTTP status of a response, and its error code in the format of EVS, DWS, LTS or the API gateway. */
export function statusAndCode({ status, json }: Reply): [number, string | undefined] {
  const code = json?.error?.code ?? json?.error_code ?? json?.errorCode;
  return [status, code];
}

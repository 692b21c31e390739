import { onTestFinished, vi } from "vitest";
import { type CloudOptions, type EmbeddedCloud, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import { type Caller, caller, type Reply } from "./cloud-client.ts";

export const START = "2026-11-21T02:00:00Z";

export interface TestCloud {
  cloud: EmbeddedCloud;
  clock: StoppedClock;
  /** Sends a request with a signature. */
  call: Caller;
}

/** Starts an embedded cloud with a stopped clock for one test. */
export async function startTestCloud(options: Omit<CloudOptions, "clock"> = {}): Promise<TestCloud> {
  const clock = new StoppedClock(START);
  const cloud = await startCloud({ ...options, clock });
  onTestFinished(() => cloud.close());
  return { cloud, clock, call: caller(cloud) };
}

/** Starts a cloud with one disk, and returns a function that creates a snapshot of the disk. */
export async function startCloudWithDisk(options: Omit<CloudOptions, "clock"> = {}) {
  const { cloud, clock, call } = await startTestCloud(options);
  const { id: volume_id } = cloud.addVolume();
  const create = () => call("POST", "/v2/{p}/cloudsnapshots", { snapshot: { volume_id } });
  return { cloud, clock, call, create, volume_id };
}

/** Stops the wall clock for one test. Signatures are checked on the wall clock. */
export function wallClockAt(time: string): void {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date(time) });
  onTestFinished(() => void vi.useRealTimers());
}

/** Returns the status and the error code of a response of any service. */
export function statusAndCode({ status, json }: Reply): [number, string | undefined] {
  const code = json?.error?.code ?? json?.error_code ?? json?.errorCode;
  return [status, code];
}

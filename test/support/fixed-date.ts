import { afterEach, beforeEach, vi } from "vitest";
import { START } from "./environment.ts";

/**
 * Sets `Date` to the start time of the test environment before each test of the calling file. Otherwise, the embedded cloud
 * discards log records, because LTS accepts only times within two days of the current date (SOURCES.md#lts-time-window).
 */
export function useFixedDate(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

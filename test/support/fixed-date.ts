import { afterEach, beforeEach, vi } from "vitest";
import { START } from "./environment.ts";

/**
 * Sets `Date` to the start of the test environment's clock for each test of a file. LTS discards records
 * whose time differs from the current date by two days or more (SOURCES.md#lts-time-window).
 */
export function useFixedDate(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

import { afterAll, expect, test } from "vitest";
import { useFixedDate } from "../support/fixed-date.ts";
import { FAULTS, type Run, runFault } from "./matrix.ts";
import { OPTIONS, saveResult } from "./report.ts";

useFixedDate();

const rows: Record<string, Run[]> = {};
afterAll(() => saveResult("matrix", rows));

test.each(Object.keys(FAULTS))(
  "the functions create no duplicate snapshot and report no false success if %s (all triggers and kinds of snapshots)",
  { timeout: 120_000 },
  async (fault) => {
    const runs = await runFault(fault, OPTIONS.report !== undefined);
    rows[fault] = runs;
    expect(runs.length).toBeGreaterThan(0);
    expect(runs.filter(({ broken }) => broken.length > 0)).toEqual([]);
  },
);

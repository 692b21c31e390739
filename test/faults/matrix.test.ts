import { afterAll, expect, test } from "vitest";
import { useFixedDate } from "../support/fixed-date.ts";
import { FAULTS, type Run, runsOf } from "./matrix.ts";
import { ASKED, keep } from "./report.ts";

useFixedDate();

const rows: Record<string, Run[]> = {};
afterAll(() => keep("matrix", rows));

test.each(Object.keys(FAULTS))(
  "%s: no promise is broken, whatever the kind and the trigger",
  { timeout: 120_000 },
  async (fault) => {
    const runs = await runsOf(fault, ASKED.report !== undefined);
    rows[fault] = runs;
    expect(runs.length).toBeGreaterThan(0);
    expect(runs.filter(({ broken }) => broken.length > 0)).toEqual([]);
  },
);

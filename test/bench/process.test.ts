/** Checks how the bench measures a process. The measured times depend on the machine, so no test checks them. */
import { expect, test } from "vitest";
import { MB, run } from "./process.ts";

test.runIf(process.platform === "linux")(
  "run() returns a peak RSS that does not include the memory of the process that calls run()",
  async () => {
    const memory = Buffer.alloc(300 * MB, 1);
    const { rssPeak, cpuTotal } = await run({ bundle: "-", event: {}, variables: {} });
    expect(rssPeak).toBeGreaterThan(20 * MB);
    expect(rssPeak).toBeLessThan(150 * MB);
    expect(cpuTotal).toBeGreaterThan(0);
    expect(memory.at(-1)).toBe(1);
  },
);

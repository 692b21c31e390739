/** Tests the sample events in test/events, with which a user calls `npm run invoke`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const EVENTS = join(import.meta.dirname, "..", "..", "..", "events");
const SAMPLES = readdirSync(EVENTS).filter((file) => file.endsWith(".json"));

describe("the sample events", () => {
  test("test/events/README.md describes every sample event and its source", () => {
    const text = readFileSync(join(EVENTS, "README.md"), "utf8");
    const rows = text.split("\n").filter((line) => line.startsWith("| `"));
    const cellsOf = (row: string) =>
      row
        .split("|")
        .map((cell) => cell.trim())
        .filter(Boolean);
    const described = rows.flatMap((row) =>
      [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, file]) => file),
    );
    expect(described.sort()).toEqual([...SAMPLES].sort());
    for (const row of rows) expect(cellsOf(row)).toHaveLength(3);
  });

  test("the user_event of each sample timer event has less than 2,048 bytes", () => {
    for (const file of SAMPLES) {
      const event = JSON.parse(readFileSync(join(EVENTS, file), "utf8"));
      if (event.user_event) expect(Buffer.byteLength(event.user_event)).toBeLessThan(2_048);
    }
  });
});

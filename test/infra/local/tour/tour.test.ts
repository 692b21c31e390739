import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../../../infra/local/cloud/index.ts";
import { fillPlaceholders, placeholdersIn } from "../../../../infra/local/invoke/placeholders.ts";
import { missingFromTopic, parseRecord, type ResultRecord } from "../../../../infra/local/site/records.ts";
import { createScreen } from "../../../../infra/local/terminal/screen.ts";
import { formatTable } from "../../../../infra/local/terminal/table.ts";

describe("the records in the output of functions", () => {
  const record = { version: 1, time: "2026-11-21T02:00:00.000Z", function: "f", request_id: "r", action: "create" };
  const records = ["accepted", "existing"].map((outcome) => ({ ...record, outcome }) as ResultRecord);

  test("parseRecord returns undefined if a printed line is not a result record", () => {
    expect(parseRecord(JSON.stringify(records[0]))).toEqual(records[0]);
    for (const text of ["", "text", "{", "null", "{}", '{"version":1}', "[1]"]) {
      expect(parseRecord(text)).toBeUndefined();
    }
  });

  test("missingFromTopic returns a record that a function printed more often than the logging topic contains it", () => {
    const [first, second] = records as [ResultRecord, ResultRecord];
    const cloud = { logs: [{ line: first }, { line: "no record" }] } as unknown as EmbeddedCloud;
    expect(missingFromTopic([first], cloud)).toEqual([]);
    expect(missingFromTopic([first, second, first], cloud)).toEqual([second, first]);
  });
});

describe("the placeholders of stored events", () => {
  const values = { volume_id: "v-1", now_ms: 5 };

  test('fillPlaceholders replaces placeholders in strings, and replaces the string "{{now_ms}}" with a number', () => {
    const event = { cts: { time: "{{now_ms}}", ids: ["{{volume_id}}"], text: "{{volume_id}} at {{now_ms}}", n: 1 } };
    expect(fillPlaceholders(event, values)).toEqual({ cts: { time: 5, ids: ["v-1"], text: "v-1 at 5", n: 1 } });
    expect(placeholdersIn(event)).toEqual(["now_ms", "volume_id"]);
  });

  test("fillPlaceholders replaces placeholders inside a base64 body", () => {
    const body = (text: string) => ({ isBase64Encoded: true, body: Buffer.from(text).toString("base64") });
    expect(fillPlaceholders(body('{"id":"{{volume_id}}"}'), values)).toEqual(body('{"id":"v-1"}'));
    expect(placeholdersIn(body("{{volume_id}}"))).toEqual(["volume_id"]);
  });

  test("fillPlaceholders throws an error that names the placeholder if the placeholder has no value", () => {
    expect(() => fillPlaceholders({ a: "{{server_id}}" }, values)).toThrow("{{server_id}}");
  });
});

describe("the screen of the tour", () => {
  const collect = (isTTY: boolean, environment: Record<string, string>) => {
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    const out = { isTTY, columns: 20, write } as unknown as NodeJS.WriteStream;
    const screen = createScreen(out, environment);
    screen.update("a line that is longer than the terminal is wide");
    screen.line(screen.style.good("done"));
    return written;
  };

  test("the screen of the tour overwrites its progress line and uses colors only on a terminal", () => {
    expect(collect(true, {})).toEqual(["a line that is long", "\r\x1b[2K", "\x1b[32mdone\x1b[39m\n"]);
    expect(collect(false, {})).toEqual(["done\n"]);
  });

  test("the screen of the tour uses no colors if NO_COLOR is set or TERM is dumb", () => {
    expect(collect(true, { NO_COLOR: "1" }).at(-1)).toBe("done\n");
    expect(collect(true, { TERM: "dumb" }).at(-1)).toBe("done\n");
  });
});

test("formatTable aligns text columns to the left and number columns to the right", () => {
  const table = formatTable(
    ["name", "seconds"],
    [
      ["a", "1.5"],
      ["longer", ""],
    ],
  );
  expect(table).toEqual(["name    seconds", "a           1.5", "longer"]);
});

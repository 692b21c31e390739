import { describe, expect, test } from "vitest";
import { formatTable, wrapText } from "../../../../infra/local/terminal/table.ts";

describe("formatTable", () => {
  const rows = [
    ["archive", "12"],
    ["database-1-data-of-the-customer", "3"],
  ];

  test("formatTable aligns numbers at the right and other cells at the left", () => {
    expect(formatTable(["disk", "size"], rows)).toEqual([
      "disk                             size",
      "archive                            12",
      "database-1-data-of-the-customer     3",
    ]);
  });

  test("formatTable shortens the widest column with an ellipsis until the table fits", () => {
    expect(formatTable(["disk", "size"], rows, 20)).toEqual([
      "disk            size",
      "archive           12",
      "database-1-da…     3",
    ]);
  });

  test("formatTable shortens a column with a minimum width first, and the other columns only after that", () => {
    const names = [["a-long-name-of-a-snapshot", "a-long-reason-for-its-deletion"]];
    const first = { column: 0, minWidth: 12 };
    expect(formatTable(["", ""], names, 50, first)[1]).toBe("a-long-name-of-a-…  a-long-reason-for-its-deletion");
    expect(formatTable(["", ""], names, 40, first)[1]).toBe("a-long-name…  a-long-reason-for-its-del…");
  });

  test("formatTable shortens no column to fewer than 8 characters", () => {
    expect(formatTable(["disk", "size"], rows, 5)[2]).toBe("databas…     3");
  });
});

describe("wrapText", () => {
  test("wrapText breaks a text between words and indents all lines except the first", () => {
    expect(wrapText("one two three four", 9, "  ")).toEqual(["one two", "  three", "  four"]);
  });

  test("wrapText gives a word that is longer than the width a line of its own", () => {
    expect(wrapText("a https://example.com b", 8)).toEqual(["a", "https://example.com", "b"]);
  });
});

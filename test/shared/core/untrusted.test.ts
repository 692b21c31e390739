import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundText, escapeControls } from "../../../shared/core/untrusted.ts";

/** Strings of arbitrary UTF-16 code units, including lone surrogates and control characters. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
);

describe("boundText", () => {
  test("boundText returns a string of the maximum length unchanged", () => {
    expect(boundText("abcd", 4)).toBe("abcd");
    expect(boundText("", 1)).toBe("");
  });

  test("boundText ends a cut string with …, which counts as part of the maximum length", () => {
    expect(boundText("abcde", 4)).toBe("abc…");
    expect(boundText("abcde", 1)).toBe("…");
  });

  test("boundText cuts a string before an emoji instead of splitting its surrogate pair", () => {
    expect(boundText("ab😀cd", 4)).toBe("ab…");
    expect(boundText("ab😀cd", 5)).toBe("ab😀…");
  });

  test("boundText cuts a string that is too long at the maximum length, or one code unit earlier if the cut would split a surrogate pair", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 20 }), (text, maxLength) => {
        const bounded = boundText(text, maxLength);
        expect(bounded.length).toBeLessThanOrEqual(maxLength);
        if (bounded === text) return;
        expect(bounded.endsWith("…")).toBe(true);
        expect(text.startsWith(bounded.slice(0, -1))).toBe(true);
        expect(bounded.length).toBeGreaterThanOrEqual(maxLength - 1);
      }),
    );
  });
});

describe("escapeControls", () => {
  test.each([
    ["a null character", "\0", "\\u0000"],
    ["a line break", "\n", "\\u000a"],
    ["an escape character", "\u001b", "\\u001b"],
    ["DEL", "\u007f", "\\u007f"],
    ["a C1 control", "\u0085", "\\u0085"],
    ["an Arabic letter mark", "\u061c", "\\u061c"],
    ["a zero-width space", "\u200b", "\\u200b"],
    ["a left-to-right mark", "\u200e", "\\u200e"],
    ["a right-to-left mark", "\u200f", "\\u200f"],
    ["a line separator", "\u2028", "\\u2028"],
    ["a paragraph separator", "\u2029", "\\u2029"],
    ["a right-to-left override", "\u202e", "\\u202e"],
    ["a first strong isolate", "\u2068", "\\u2068"],
    ["a byte order mark", "\ufeff", "\\ufeff"],
    ["a lone surrogate", "\ud83d", "\\ud83d"],
    ["an invisible tag character outside of the basic plane", "\u{e0041}", "\\udb40\\udc41"],
  ])("escapeControls escapes %s", (_what, character, escaped) => {
    expect(escapeControls(`a${character}b`)).toBe(`a${escaped}b`);
  });

  test("escapeControls keeps letters of every script, emoji and spaces", () => {
    const text = 'Übung, 予備, резерв, نسخة, 😀, \u00a0 "quoted" and a\\b';
    expect(escapeControls(text)).toBe(text);
  });

  test("escapeControls leaves no control character in JSON and does not change the parsed value", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = escapeControls(JSON.stringify({ text }));
        expect(JSON.parse(line)).toEqual({ text });
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  });
});

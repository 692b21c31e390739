import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../shared/results/redact.ts";
import { piecesLeft } from "../../support/pieces.ts";

const KEY = "9oBMaN4P/hTgWuX+0kLQmAYcXwvS3eRz7tIuDj5K";

describe("pieces of a secret", () => {
  test.each([
    ["a secret without its first character", KEY.slice(1)],
    ["16 characters from the middle of a secret", KEY.slice(9, 25)],
    ["the last 16 characters of a secret", KEY.slice(-16)],
    ["a secret in lower case", KEY.toLowerCase()],
  ])("the redactor replaces %s by ***", (_what, piece) => {
    expect(createRedactor([KEY])(`a ${piece} b`)).toBe("a *** b");
  });

  test.each([
    ["a line break", "\n"],
    ["a carriage return and a line break", "\r\n"],
    ["a folded header", "\r\n\t"],
    ["a line break and spaces", "\n        "],
    ["a space", " "],
    ["a line break escaped for JSON", "\\n"],
    ["a line break escaped twice for JSON", "\\\\r\\\\n"],
    ["a line break escaped for a URL", "%0D%0A"],
    ["a line break escaped for HTML", "&#10;"],
    ["an HTML line break", "<br />\n"],
    ["a soft line break of quoted-printable text", "=\r\n"],
    ["a zero-width space", "\u200b"],
  ])("the redactor removes a secret that is divided by %s", (_what, wrap) => {
    for (const width of [1, 7, 15]) {
      expect(createRedactor([KEY])(`a ${wrapAt(KEY, width, wrap)} b`)).toBe("a *** b");
    }
  });

  test("the redactor removes a secret from base64, whatever text precedes the secret", () => {
    for (const before of ["", "B", "Be", "Bearer "]) {
      const encoded = Buffer.from(`${before}${KEY}`).toString("base64");
      const clean = createRedactor([KEY])(`a ${encoded} b`);
      expect(clean).toMatch(/^a [\w+/]{0,14}\*\*\*[\w=]{0,3} b$/);
    }
    const url = Buffer.from(`?>?>${KEY}`).toString("base64url");
    expect(createRedactor([KEY])(url)).toMatch(/^.{0,8}\*\*\*.?$/);
  });

  test("the redactor removes a secret that is encoded as hex in lower or upper case", () => {
    const hex = Buffer.from(KEY).toString("hex");
    expect(createRedactor([KEY])(`a ${hex} ${hex.toUpperCase()} b`)).toBe("a *** b");
  });

  test("the redactor does not treat pieces in different JSON strings as one secret", () => {
    const line = JSON.stringify({ first: KEY.slice(0, 8), second: KEY.slice(8, 15), third: "x" });
    expect(createRedactor([KEY])(line)).toBe(line);
  });

  test("the redactor keeps ids that share fewer than 16 consecutive characters with a secret", () => {
    const id = "0123456789abcdef0123456789abcdef";
    const line = JSON.stringify({ id, uuid: "5aa1c0de-0000-4000-8000-00000000beef" });
    expect(createRedactor([`${id.slice(0, 10)}${KEY}${id.slice(20, 31)}`])(line)).toBe(line);
  });
});

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const secretOf = (alphabet: string, maxLength: number) =>
  fc.oneof(
    ...[60, maxLength].map((length) =>
      fc
        .array(fc.constantFrom(...alphabet), { minLength: 6, maxLength: length, size: "max" })
        .map((characters) => characters.join("")),
    ),
  );
const jwt = fc
  .tuple(...[60, 600, 90].map((length) => secretOf(BASE64.replace("+/", "-_"), length)))
  .map((parts) => parts.join("."));
const anySecret = fc.oneof(
  secretOf(BASE64, 5_000),
  secretOf(BASE64, 5_000).map((secret) => `${secret}==`),
  secretOf("0123456789abcdef", 2_000),
  secretOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 40),
  jwt,
);

const hexOf = (character: string) => character.charCodeAt(0).toString(16).padStart(2, "0");
/** Encodings whose result stays decodable if a line break is inserted anywhere. */
const ENCODINGS: ((text: string, before: string) => string)[] = [
  (text) => text,
  (text, before) => Buffer.from(before + text).toString("base64"),
  (text, before) => Buffer.from(`${before}${text}}`).toString("base64url"),
  (text) => Buffer.from(text).toString("hex"),
  (text, before) =>
    Buffer.from(before + text)
      .toString("hex")
      .toUpperCase(),
];
const escapeEach = (text: string, encode: (character: string) => string) => text.replace(/\W/g, encode);
/** Escapes that become undecodable if a line break divides them. */
const ESCAPES: ((text: string, before: string) => string)[] = [
  (text) => text.replaceAll("/", "\\/"),
  (text) => escapeEach(text, (character) => `\\u00${hexOf(character)}`),
  (text) => encodeURIComponent(text),
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => text.replace(/./g, (character) => `%${hexOf(character)}`),
  (text) => escapeEach(text, (character) => `&#${character.charCodeAt(0)};`),
  (text) => escapeEach(text, (character) => `&amp;#x${hexOf(character).toUpperCase()};`),
  (text) => escapeEach(text, (character) => `\\u0026#${character.charCodeAt(0)};`),
  (text) => encodeURIComponent(escapeEach(text, (character) => `\\u00${hexOf(character)}`)),
  (text) => encodeURIComponent(escapeEach(text, (character) => `&#${character.charCodeAt(0)};`)),
  (text, before) => encodeURIComponent(Buffer.from(`${before}${text}}`).toString("base64")),
];

const BREAKS = ["\n", "\r\n", "\r\n\t", "\n    ", " ", "\\n", "\\r\\n", "\\\\n", "=\r\n"];
/** Escaped line breaks. The test inserts them only into text without escapes, so they never divide an escape. */
const ESCAPED_BREAKS = ["%0A", "%0d%0a", "&#13;&#10;", "<br>\n"];

const wrapAt = (text: string, width: number, wrap: string) =>
  text.replace(new RegExp(`.{${width}}(?=.)`, "g"), `$&${wrap}`);

test("the redactor removes every part of 16 or more characters of a secret from encoded and wrapped text, and keeps JSON valid", () => {
  fc.assert(
    fc.property(
      anySecret,
      fc.array(
        fc.record({
          from: fc.double({ min: 0, max: 1, noNaN: true }),
          length: fc.oneof(fc.integer({ min: 16, max: 60 }), fc.integer({ min: 16, max: 5_000 })),
          encoding: fc.oneof(
            fc.tuple(fc.constantFrom(...ENCODINGS), fc.integer({ min: 1, max: 80 })),
            fc.tuple(fc.constantFrom(...ESCAPES), fc.integer({ min: 60, max: 80 })),
            fc.tuple(fc.constantFrom(...ENCODINGS, ...ESCAPES), fc.constant(10_000)),
          ),
          before: fc.constantFrom("", "B", "Be", "Bearer "),
          wrap: fc.constantFrom(...BREAKS),
          escapedWrap: fc.option(fc.constantFrom(...ESCAPED_BREAKS)),
          around: fc.string({ maxLength: 30 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      (secret, pieces) => {
        const text = pieces
          .map(({ from, length, encoding: [encode, width], before, wrap, escapedWrap, around }) => {
            const start = Math.floor(from * Math.max(0, secret.length - 16));
            const piece = secret.slice(start, start + length);
            if (escapedWrap !== null) return `${around} ${wrapAt(piece, width, escapedWrap)} `;
            return `${around} ${wrapAt(encode(piece, before), width, wrap)} `;
          })
          .join("");
        const redact = createRedactor([secret]);
        expect(piecesLeft(redact(text), secret)).toEqual([]);
        const line = JSON.stringify({ version: 1, message: text, name: "snap-001" });
        const clean = JSON.parse(redact(line));
        expect(piecesLeft(clean.message, secret)).toEqual([]);
        expect(clean).toEqual({ version: 1, message: expect.any(String), name: "snap-001" });
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);

test("the redactor removes a token whose special characters are replaced by HTML character names, even if the text is wrapped", () => {
  const names: Record<string, string> = {
    "/": "&sol;",
    "+": "&plus;",
    "-": "&hyphen;",
    _: "&lowbar;",
    ".": "&period;",
    "%": "&percnt;",
  };
  const named = (text: string) => [...text].map((character) => names[character] ?? character).join("");
  const token = "+04Res/+plusaB+jHdHP+MmWlrdD/x+6XU0QV/-wGWz_RjOL1+.zKy/%jsq+aB/cd";
  const redact = createRedactor([token]);
  for (const text of [named(token), named(token).replaceAll("&", "&amp;"), named(token).replace(/.{20}/g, "$&\n")]) {
    expect(redact(`before ${text} after`)).toBe("before *** after");
    expect(redact(JSON.stringify({ message: text }))).toBe('{"message":"***"}');
  }
  expect(redact("a&sol;b &plus; c")).toBe("a&sol;b &plus; c");
});

test("the redactor does not change a text that contains no part of a secret", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.string({ maxLength: 300 }).map((inner) => JSON.stringify({ inner, again: JSON.stringify(inner) })),
    fc.uuid(),
    secretOf(BASE64, 300),
    secretOf("0123456789abcdef", 300),
  );
  fc.assert(
    fc.property(secretOf(BASE64, 5_000), text, (secret, given) => {
      if (!given.includes(secret)) expect(createRedactor([`${secret}0123456789`])(given)).toBe(given);
    }),
    { numRuns: 300 },
  );
}, 60_000);

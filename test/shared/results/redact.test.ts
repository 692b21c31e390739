import fc from "fast-check";
import { expect, test } from "vitest";
import { redactor } from "../../../shared/results/redact.ts";

const KEY = "9oBMaN4P/hTgWuX+0kLQmAYcXwvS3eRz7tIuDj5K";

test("a secret goes, what is around it stays", () => {
  const redact = redactor([KEY]);
  expect(redact(`before ${KEY} after, ${KEY}.`)).toBe("before *** after, ***.");
  expect(redact(`{"token":"${KEY}","n":1}`)).toBe('{"token":"***","n":1}');
  expect(redact("nothing of it: 9oBMaN, hTgWuX")).toBe("nothing of it: 9oBMaN, hTgWuX");
});

test("however often it was escaped", () => {
  let json = KEY;
  let url = KEY;
  for (let times = 0; times < 3; times += 1) {
    json = JSON.stringify(json.replaceAll("/", "\\/")).slice(1, -1);
    url = encodeURIComponent(url);
    expect(redactor([KEY])(`a ${json} b`)).toBe("a *** b");
    expect(redactor([KEY])(`a ${url} b`)).toBe("a *** b");
  }
});

test("cut off, where what is left gives it away", () => {
  for (let length = 12; length < KEY.length; length += 1) {
    expect(redactor([KEY])(`"${KEY.slice(0, length)}"...`)).toBe('"***"...');
  }
});

test("one secret may be part of another, or none at all", () => {
  expect(redactor(["inside", "outer-inside-outer"])("outer-inside-outer inside")).toBe("*** ***");
  expect(redactor(["begins", "begins-ends"])("begins-ends begins")).toBe("*** ***");
  expect(redactor([])("text")).toBe("text");
  expect(redactor(["", "te", "t"])("text")).toBe("text");
});

test("secrets that become known later count from then on", () => {
  const secrets: string[] = [];
  const redact = redactor(secrets);
  expect(redact(KEY)).toBe(KEY);
  secrets.push(KEY);
  expect(redact(KEY)).toBe("***");
});

test("a line of JSON stays one, and keeps what is no secret", () => {
  const sign = fc.constantFrom(..."abcnrtuXYZ019+/=-_.~\"'<&%");
  const secret = fc.array(sign, { minLength: 12, maxLength: 60 }).map((signs) => signs.join(""));
  const around = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(
    fc.property(secret, around, around, (value, before, after) => {
      const line = JSON.stringify({ version: 1, message: `${before} ${value} ${after}`, name: "snap-001" });
      const clean = redactor([value])(line);
      expect(clean).not.toContain(JSON.stringify(value).slice(1, -1));
      const { version, message, name } = JSON.parse(clean);
      expect([version, name]).toEqual([1, "snap-001"]);
      expect(message).not.toContain(value);
    }),
    { numRuns: 100 },
  );
});

test("a long text of signs that could begin a secret is read in no time", () => {
  const started = performance.now();
  for (const sign of ["\\", "%25", "&#x", "9oBMaN4P/hT"]) redactor([KEY])(sign.repeat(300_000 / sign.length));
  expect(performance.now() - started).toBeLessThan(1_000);
});

test("a token of thousands of characters, as IAM gives them, whole, cut off and escaped", () => {
  const token = Array.from({ length: 6_000 }, (_, index) => "AbC+/=:9"[index % 8]).join("");
  const redact = redactor([token]);
  expect(redact(`a ${token} b`)).toBe("a *** b");
  expect(redact(encodeURIComponent(token))).toBe("***");
  expect(redact(JSON.stringify({ token: JSON.stringify(token) }))).not.toContain(token.slice(0, 12));
  expect(redact(`a ${token.slice(0, 100)}`)).not.toContain(token.slice(0, 12));
});

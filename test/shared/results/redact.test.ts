import fc from "fast-check";
import { expect, test } from "vitest";
import { createRedactor } from "../../../shared/results/redact.ts";

const KEY = "9oBMaN4P/hTgWuX+0kLQmAYcXwvS3eRz7tIuDj5K";

test("the redactor replaces a secret by *** and keeps the text around the secret", () => {
  const redact = createRedactor([KEY]);
  expect(redact(`before ${KEY} after, ${KEY}.`)).toBe("before *** after, ***.");
  expect(redact(`{"token":"${KEY}","n":1}`)).toBe('{"token":"***","n":1}');
  expect(redact("short parts: 9oBMaN, hTgWuX")).toBe("short parts: 9oBMaN, hTgWuX");
});

test("the redactor removes a secret that was escaped up to three times for JSON or for a URL", () => {
  let json = KEY;
  let url = KEY;
  for (let times = 0; times < 3; times += 1) {
    json = JSON.stringify(json.replaceAll("/", "\\/")).slice(1, -1);
    url = encodeURIComponent(url);
    expect(createRedactor([KEY])(`a ${json} b`)).toBe("a *** b");
    expect(createRedactor([KEY])(`a ${url} b`)).toBe("a *** b");
  }
});

test("the redactor removes a truncated secret if at least its first 12 characters remain", () => {
  for (let length = 12; length < KEY.length; length += 1) {
    expect(createRedactor([KEY])(`"${KEY.slice(0, length)}"...`)).toBe('"***"...');
  }
});

test("the redactor removes two secrets even if one contains the other, and ignores secrets of less than three characters", () => {
  expect(createRedactor(["inside", "outer-inside-outer"])("outer-inside-outer inside")).toBe("*** ***");
  expect(createRedactor(["begins", "begins-ends"])("begins-ends begins")).toBe("*** ***");
  expect(createRedactor([])("text")).toBe("text");
  expect(createRedactor(["", "te", "t"])("text")).toBe("text");
});

test("the redactor removes a secret that was added to the list of secrets after the redactor was created", () => {
  const secrets: string[] = [];
  const redact = createRedactor(secrets);
  expect(redact(KEY)).toBe(KEY);
  secrets.push(KEY);
  expect(redact(KEY)).toBe("***");
});

test("the redactor keeps JSON valid and changes only values that contain the secret", () => {
  const character = fc.constantFrom(..."abcnrtuXYZ019+/=-_.~\"'<&%");
  const secret = fc.array(character, { minLength: 12, maxLength: 60 }).map((characters) => characters.join(""));
  const around = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(
    fc.property(secret, around, around, (value, before, after) => {
      const line = JSON.stringify({ version: 1, message: `${before} ${value} ${after}`, name: "snap-001" });
      const clean = createRedactor([value])(line);
      expect(clean).not.toContain(JSON.stringify(value).slice(1, -1));
      const { version, message, name } = JSON.parse(clean);
      expect([version, name]).toEqual([1, "snap-001"]);
      expect(message).not.toContain(value);
    }),
    { numRuns: 100 },
  );
});

test("the redactor needs less than 1 s of CPU time for nine texts of 300,000 characters that resemble escapes or secrets", () => {
  const before = process.cpuUsage();
  for (const part of ["\\", "%25", "% ", "&#x", "&amp;", "&#0 ", "9oBMaN4P/hT", "YUFhQWFB", "4141"])
    createRedactor([KEY])(part.repeat(300_000 / part.length));
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(1_000);
});

test("the redactor removes a token of 6,000 characters, even if the token is truncated or escaped", () => {
  const token = Array.from({ length: 6_000 }, (_, index) => "AbC+/=:9"[index % 8]).join("");
  const redact = createRedactor([token]);
  expect(redact(`a ${token} b`)).toBe("a *** b");
  expect(redact(encodeURIComponent(token))).toBe("***");
  expect(redact(JSON.stringify({ token: JSON.stringify(token) }))).not.toContain(token.slice(0, 12));
  expect(redact(`a ${token.slice(0, 100)}`)).not.toContain(token.slice(0, 12));
});

test("if a secret contains quotes, the redactor removes parts of the secret from JSON and from other text", () => {
  const token = '2LxpQUtJk";BsNoxi*AP/]5z2"0|4[R29="!b^E"I"whI{hVR"';
  const redact = createRedactor([`x${token}x`]);
  expect(redact(`400 EVS.5400: ${token}. Correct it.`)).toBe('400 EVS.5400: ***". Correct it.');
  expect(redact(JSON.stringify({ message: token }))).toBe('{"message":"***\\""}');
});

test.each([
  ["is escaped for JSON", "$h&q\\u0042f;C\\u003aB\\u0078zk\\u0070\\u0062"],
  ["is escaped for a URL", "$h%26q%42f;C%3AB%78zk%70%62"],
  ["is escaped for a URL twice", "$h%2526q%2542f;C%253AB%2578zk%2570%2562"],
  ["is escaped for HTML", "$h&amp;q&#66;f;C&colon;B&#x78;zk&#112;&#98;"],
  ["is not escaped", "$h&qBf;C:Bxzkpb"],
])(
  "if a part of a secret %s and contains &q, which resembles an HTML entity, the redactor removes the part",
  (_how, piece) => {
    expect(createRedactor(["v#M3y`_C@-wn?r!($gjQWT$h&qBf;C:Bxzkpbg{ZB1E"])(`a ${piece} b`)).toBe("a *** b");
  },
);

test("the redactor replaces a text that is exactly a secret of 8 characters, or exactly the first 16 characters of a longer secret", () => {
  const redact = createRedactor([`${KEY}A`, "AB/CD+EF"]);
  for (let length = 0; length <= 16; length += 1) expect(redact("A".repeat(length))).toBe("A".repeat(length));
  expect(redact(KEY.slice(0, 16))).toBe("***");
  expect(redact("AB/CD+E")).toBe("AB/CD+E");
  expect(redact("AB/CD+EF")).toBe("***");
});

test("the redactor needs less than 250 ms of CPU time for 1,000 records if a secret has 4,000 characters", () => {
  const token = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * index * 7 + index * 13) % 251));
  const line = JSON.stringify({ message: "The resource is busy: Wait, then repeat the request. ".repeat(12) });
  const costs = Array.from({ length: 5 }, () => {
    const redact = createRedactor(["HST3WPLTXLGBZ6GQTTQA", KEY, token.toString("base64")]);
    const before = process.cpuUsage();
    for (let index = 0; index < 1_000; index += 1) redact(line);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  expect(Math.min(...costs)).toBeLessThan(250);
});

test("the redactor escapes control characters in JSON and leaves them unchanged in other text", () => {
  for (const redact of [createRedactor([KEY]), createRedactor([])]) {
    expect(redact("a\u202eb\u2028c\nd")).toBe("a\u202eb\u2028c\nd");
    const name = "a\u202eb\u2028c\u0085d\u007fe";
    expect(redact(JSON.stringify({ name }))).toBe('{"name":"a\\u202eb\\u2028c\\u0085d\\u007fe"}');
    expect(redact(`{\r\n\t"name": "a\u202eb\u200f"\n}`)).toBe(`{\r\n\t"name": "a\\u202eb\\u200f"\n}`);
  }
});

test("the redactor removes every secret in 1 MiB of JSON and keeps the JSON valid", () => {
  const secret = "aZ9/bY8+cX7=dW6-eV5_fU4/gT3+hS2\\q";
  const entries = Array.from({ length: 12_000 }, (_, index) => ({
    [`name \\ "${index}"`]: index % 3 === 0 ? `${"x".repeat(index % 90)} ${secret}` : 'a "quoted" \\ value',
  }));
  const text = JSON.stringify(entries);
  expect(text.length).toBeGreaterThan(512 * 1024);
  const clean = createRedactor([secret])(text);
  const read: Record<string, string>[] = JSON.parse(clean);
  for (const [index, entry] of entries.entries()) {
    const expected = Object.entries(entry).map(([name, value]) => [name, value.replace(secret, "***")]);
    expect(Object.entries(read[index] ?? {})).toEqual(expected);
  }
});

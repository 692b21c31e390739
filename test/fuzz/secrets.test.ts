import { describe, expect, test } from "vitest";
import { createRandomChoices } from "./random.ts";
import { SPELLING_NAMES, secretFinder, spell } from "./secrets.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const TOKEN = createRandomChoices("a token").text(ALPHABET, 300);
const find = secretFinder({ token: TOKEN });

describe("the secret search of the fuzz test", () => {
  test.each(SPELLING_NAMES)("the secret search of the fuzz test finds a secret in this form: %s", (spelling) => {
    for (let seed = 0; seed < 50; seed += 1) {
      const written = spell(spelling, TOKEN, createRandomChoices(`${spelling} ${seed}`));
      expect(find(`The token ${written} is wrong.`), written).not.toEqual([]);
      expect(find(JSON.stringify({ message: `token=${written}` })), written).not.toEqual([]);
    }
  });

  test("the secret search of the fuzz test finds 16 consecutive characters of a secret, but not 15 characters", () => {
    for (let at = 0; at < 40; at += 1) {
      expect(find(`x${TOKEN.slice(at, at + 16)}y`)).not.toEqual([]);
      expect(find(`-${TOKEN.slice(at, at + 15)}-`)).toEqual([]);
    }
  });

  test("the secret search of the fuzz test finds nothing in a record without secrets", () => {
    const record = {
      version: 1,
      time: "2026-11-21T02:00:00.000Z",
      request_id: "0b1f8d06-7a3c-4f7b-9d58-2e4f60718293",
      error: {
        code: "EVS.5400",
        message: "GET /v2/0123456789abcdef0123456789abcdef/cloudsnapshots/detail: 400 \u001b[31m%41",
      },
    };
    expect(find(JSON.stringify(record))).toEqual([]);
  });
});

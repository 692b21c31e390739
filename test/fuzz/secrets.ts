/** Encodes secrets in the ways in which a service may repeat them, and finds encoded parts of secrets in output. */
import type { Random } from "./random.ts";

/** The number of consecutive characters of a secret that count as a leak. */
const RUN = 16;
/**
 * The length of the pieces of secrets that the search looks for. A leak of 16 characters contains pieces at 9 consecutive
 * positions, so the search looks only at every ninth position (`STRIDE`) of a text.
 */
const PIECE = 8;
const STRIDE = RUN - PIECE + 1;

/** The maximum length in characters of a text that the search decodes. */
const MAX_DECODED = 2 * 1024 * 1024;
const MAX_DEPTH = 3;

/**
 * Returns a function that finds 16 consecutive characters of a secret in a text. The function also searches decoded forms of the
 * text. A decoding step removes line breaks, unescapes JSON, HTML or a URL, or decodes base64. Up to three steps are combined.
 * The function returns a finding for each combination of a secret and the decoding steps that revealed it.
 */
export function secretFinder(secrets: Readonly<Record<string, string>>): (text: string) => string[] {
  const runs = new Map<string, string>();
  const pieces = new Set<string>();
  for (const [name, secret] of Object.entries(secrets)) {
    for (let at = 0; at + RUN <= secret.length; at += 1) runs.set(secret.slice(at, at + RUN), name);
    for (let at = 0; at + PIECE <= secret.length; at += 1) pieces.add(secret.slice(at, at + PIECE));
  }
  const runIn = (text: string): { name: string; at: number } | undefined => {
    for (let at = 0; at + PIECE <= text.length; at += STRIDE) {
      if (!pieces.has(text.slice(at, at + PIECE))) continue;
      for (let from = Math.max(0, at - STRIDE + 1); from <= at; from += 1) {
        const name = runs.get(text.slice(from, from + RUN));
        if (name !== undefined) return { name, at: from };
      }
    }
    return undefined;
  };

  return (text) => {
    const found = new Map<string, string>();
    const seen = new Set<string>();
    let layer: { text: string; how: string[] }[] = [{ text, how: [] }];
    for (let depth = 0; depth <= MAX_DEPTH && layer.length > 0; depth += 1) {
      const next: typeof layer = [];
      for (const one of layer) {
        if (seen.has(one.text)) continue;
        seen.add(one.text);
        const hit = runIn(one.text);
        if (hit !== undefined) {
          const how = `${hit.name}, ${one.how.join(", then ") || "as it is"}`;
          if (!found.has(how)) found.set(how, one.text.slice(Math.max(0, hit.at - 40), hit.at + 60));
          continue;
        }
        if (one.text.length > MAX_DECODED) continue;
        for (const [name, decode] of Object.entries(DECODERS)) {
          for (const decoded of decode(one.text)) {
            if (decoded !== one.text && decoded.length >= RUN) next.push({ text: decoded, how: [...one.how, name] });
          }
        }
      }
      layer = next;
    }
    return [...found].map(([how, around]) => `${how}: ${JSON.stringify(around)}`);
  };
}

/** Matches whitespace, control and format characters, which can split a secret. */
const INVISIBLE = /[\s\p{Cc}\p{Cf}]+/gu;
const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  sol: "/",
  plus: "+",
  equals: "=",
};

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

const DECODERS: Record<string, (text: string) => string[]> = {
  "line breaks taken out": (text) => [text.replace(INVISIBLE, "")],
  "JSON unescaped": (text) =>
    text.includes("\\")
      ? [
          text.replace(/\\(?:u([\da-fA-F]{4})|(.))/gs, (_, hex?: string, sign = "") =>
            hex === undefined ? (ESCAPES[sign] ?? sign) : String.fromCharCode(Number.parseInt(hex, 16)),
          ),
        ]
      : [],
  "percent-decoded": (text) =>
    /%[\da-fA-F]{2}/.test(text)
      ? [text.replace(/%([\da-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))]
      : [],
  "HTML unescaped": (text) =>
    /&#?\w+;/.test(text)
      ? [
          text.replace(
            /&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w{1,8}));/gi,
            (whole, hex?: string, decimal?: string, name = "") => {
              const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
              return Number.isInteger(code) && code < 0x11_0000
                ? String.fromCodePoint(code)
                : (ENTITIES[name] ?? whole);
            },
          ),
        ]
      : [],
  "base64 decoded": (text) => {
    // In base64, 16 bytes have at least 20 characters that do not depend on the neighbouring bytes.
    const candidates = text.match(/[A-Za-z0-9+/_-]{20,}/g) ?? [];
    if (candidates.length === 0) return [];
    const decodedFrom = (from: number) =>
      candidates.map((run) => Buffer.from(run.slice(from), "base64").toString("latin1"));
    // The separator prevents a match that consists of the end of one candidate and the beginning of the next candidate.
    return [0, 1, 2, 3].map((from) => decodedFrom(from).join("|"));
  },
};

/**
 * The forms in which a response repeats a token. Each key describes the form. Each function returns the token, or a part of it, in
 * this form.
 */
const SPELLINGS: Record<string, (secret: string, random: Random) => string> = {
  "the whole token": (secret) => secret,
  "the token without its first character": (secret) => secret.slice(1),
  "16 or more characters of the token": (secret, random) => {
    const from = random.int(0, Math.max(0, secret.length - RUN));
    return secret.slice(from, from + random.int(RUN, Math.max(RUN, secret.length)));
  },
  "the last 16 or more characters of the token": (secret, random) => secret.slice(-random.int(RUN, secret.length)),
  "the token split by line feeds": (secret, random) => wrap(secret, random, "\n"),
  "the token split by CRLF line breaks": (secret, random) => wrap(secret, random, "\r\n"),
  "the token split by whitespace or escaped line feeds": (secret, random) =>
    wrap(secret, random, random.pick(["\n ", "\t", " ", "\u2028", "\\n"])),
  "the token as base64": (secret, random) => Buffer.from("x".repeat(random.int(0, 5)) + secret).toString("base64"),
  "the token as base64url": (secret, random) =>
    Buffer.from(`${"x".repeat(random.int(0, 5))}${secret}`).toString("base64url"),
  "a part of the token as base64": (secret, random) => {
    const from = random.int(0, Math.max(0, secret.length - 24));
    return Buffer.from(`Bearer ${secret.slice(from, from + random.int(24, secret.length))}`).toString("base64");
  },
  "the token as base64, split by line feeds": (secret, random) =>
    wrap(Buffer.from(secret).toString("base64"), random, "\n"),
  "the percent-encoded token": (secret) => encodeURIComponent(secret),
  "the token with every character percent-encoded": (secret) =>
    [...secret].map((sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, "0")}`).join(""),
  "the token that is percent-encoded twice": (secret) => encodeURIComponent(encodeURIComponent(secret)),
  "the token as a JSON string in a JSON string": (secret) =>
    JSON.stringify(JSON.stringify(secret).replaceAll("/", "\\/")),
  "the token with JSON \\u escapes": (secret, random) =>
    [...secret]
      .map((sign) => (random.chance(0.3) ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}` : sign))
      .join(""),
  "the token with numeric HTML entities": (secret) =>
    secret.replace(/[+/=&<>"']/g, (sign) => `&#x${sign.charCodeAt(0).toString(16)};`),
  "the token with named HTML entities": (secret) =>
    secret.replaceAll("/", "&sol;").replaceAll("+", "&plus;").replaceAll("=", "&equals;"),
  "the token in the query of a URL": (secret) => `https://proxy.example/?token=${encodeURIComponent(secret)}&b=1`,
  "the token in the text of an HTTP header": (secret) => `X-Security-Token: ${secret}, X-Sdk-Date: 20261121T020000Z`,
};

function wrap(secret: string, random: Random, by: string): string {
  const width = random.pick([5, 10, 15, 40, 60, 64, 76]);
  return secret.match(new RegExp(`.{1,${width}}`, "gs"))?.join(by) ?? secret;
}

export const SPELLING_NAMES = Object.keys(SPELLINGS);

export const spell = (name: string, secret: string, random: Random): string =>
  SPELLINGS[name]?.(secret, random) ?? secret;

/** Returns a secret in one of its encodings, either alone or inside a sentence. */
export function spellSecret(secrets: Readonly<Record<string, string>>, random: Random): { text: string; how: string } {
  const name = random.pick(Object.keys(secrets));
  const how = random.pick(SPELLING_NAMES);
  const written = spell(how, secrets[name] ?? "", random);
  const words = random.pick([
    "",
    "",
    "invalid token ",
    "token=",
    "signature of the key '",
    '"',
    "decrypt token fail: ",
  ]);
  return { text: `${words}${written}${random.pick(["", "", "'", " is expired.", "\n"])}`, how: `${name}: ${how}` };
}

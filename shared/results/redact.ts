import { escapeControls } from "../core/untrusted.ts";
import { canonicalText, endOf, SLICE_LENGTH } from "./canonical-text.ts";

/**
 * The minimum length of a secret in characters. A shorter value is no key or token, and its removal would damage ordinary
 * words.
 */
const MIN_SECRET_CHARACTERS = 6;
/**
 * A part of a secret is removed if the part has at least this number of canonical characters. 16 consecutive characters of
 * a key or token have at least 12 canonical characters, because the canonical form omits only padding and quotes.
 */
const MIN_PART_LENGTH = 12;
/**
 * The length of two consecutive blocks of 4 characters. The blocks of a secret begin at multiples of 4. Every 11
 * consecutive characters of a secret therefore contain two complete consecutive blocks.
 */
const TWO_BLOCKS_LENGTH = 8;

/** The data with which `removeSecrets` finds the secrets of one array in a text. */
interface SearchIndex {
  /**
   * The number of secrets when this index was built. An invocation adds its credentials to the secrets later. If the number
   * of secrets has changed, the index is built again.
   */
  secretCount: number;
  /**
   * Each secret unescaped, escaped for JSON, and escaped for URLs. The strings are replaced in this order. A shorter string
   * can be a part of a longer string, so longer strings come first.
   */
  literals: string[];
  /** The secrets in canonical form. */
  plain: SearchStrings;
  /**
   * The secrets in base64 and hex. Built only when the first text that looks encoded is searched, because this index is
   * large: a token has thousands of characters.
   */
  encoded?: SearchStrings;
}

/** Strings to find in a text, in canonical form. */
interface SearchStrings {
  /** All strings in one buffer, each followed by a zero byte. */
  all: Buffer;
  /** The hashes of all aligned blocks of 4 characters in `all`, as a set with one bit per possible hash. */
  bits: Int32Array;
  /** The strings that are too short to be removed in part. They are removed only as a whole. */
  short: Buffer[];
}

/**
 * Maps each array of secrets to its search index. The garbage collector frees an index when it frees the array, so no secret
 * remains in memory after its invocation.
 */
const indexes = new WeakMap<string[], SearchIndex>();

/**
 * Returns a function that removes secrets from a text before the text leaves the process.
 *
 * - The function replaces every secret, and every 16 or more consecutive characters of a secret, by `***`.
 * - The function finds a secret even if it is wrapped over lines, escaped for JSON, URLs or HTML (even repeatedly), or
 *   encoded in base64, base64url or hex.
 * - In JSON, the function also escapes control characters. The JSON remains valid and keeps all other values.
 *
 * @param secrets the secrets to remove. The function reads the array at each call, because an invocation adds its
 *   credentials to the array later.
 * @example createRedactor(["top-secret-key"])("the key top-secret-key is invalid") // "the key *** is invalid"
 */
export const createRedactor =
  (secrets: string[]) =>
  (text: string): string => {
    const isJson = /^\s*[[{]/.test(text);
    const parts = isJson ? splitJson(text) : [text];
    const clean = secrets.length === 0 ? text : parts.map((part) => removeSecrets(part, secrets, isJson)).join("");
    // Do not escape tabs and line breaks. They can separate the tokens of JSON, and an escape sequence between two tokens
    // would be invalid.
    return isJson && /[^ -~]/.test(clean) ? clean.replace(/[^\t\r\n]+/g, escapeControls) : clean;
  };

/** Divides long JSON into parts that end with an unescaped quote, because no secret extends across an unescaped quote. */
function splitJson(text: string): string[] {
  if (text.length <= SLICE_LENGTH) return [text];
  const parts: string[] = [];
  let from = 0;
  for (
    let at = text.indexOf('"', SLICE_LENGTH);
    at >= 0;
    at = text.indexOf('"', Math.max(at + 1, from + SLICE_LENGTH))
  ) {
    if (text[at - 1] === "\\") continue;
    parts.push(text.slice(from, at + 1));
    from = at + 1;
  }
  return [...parts, text.slice(from)];
}

function removeSecrets(original: string, secrets: string[], isJson: boolean): string {
  const longSecrets = secrets.filter(({ length }) => length >= MIN_SECRET_CHARACTERS);
  let index = indexes.get(secrets);
  if (index?.secretCount !== secrets.length) {
    const escaped = longSecrets.flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
    ]);
    const literals = [...new Set(escaped)].sort((a, b) => b.length - a.length);
    index = { secretCount: secrets.length, literals, plain: indexForms(longSecrets.map(plainForm)) };
    indexes.set(secrets, index);
  }
  const text = index.literals.reduce((clean, secret) => clean.replaceAll(secret, "***"), original);
  const { codes, cased, starts, found, clear } = canonicalText(text, isJson);
  markForms(found, codes, index.plain);
  if (ENCODED_TEXT.test(cased.toString("latin1"))) {
    index.encoded ??= indexForms(longSecrets.flatMap(encodedForms));
    markForms(found, codes, index.encoded);
  }
  let clean = "";
  let from = 0;
  for (let at = found.indexOf(1); at >= 0; at = found.indexOf(1, at)) {
    clean += `${text.slice(from, starts[at])}***`;
    while (found[at]) at += 1;
    from = endOf(text, starts[at - 1] as number);
    while (text[from] === "=") from += 1;
  }
  clear();
  return clean + text.slice(from);
}

/** Sets `found[i]` to 1 if `codes[i]` belongs to one of the search strings. `codes` is the canonical form of a text. */
function markForms(found: Uint8Array, codes: Buffer, { all, bits, short }: SearchStrings): void {
  let block = 0;
  let hits = 0;
  let next = TWO_BLOCKS_LENGTH - 1;
  for (let at = 0; at < codes.length; at += 1) {
    block = (block >>> 8) | ((codes[at] as number) << 24);
    const hash = hashOf(block);
    hits = (hits << 1) | (((bits[hash >> 5] as number) >> hash) & 1);
    // A text without a secret rarely contains two consecutive blocks whose hashes are in `bits`. This check therefore skips
    // most of the text.
    if ((hits & 0b10001) !== 0b10001 || at < next) continue;
    const first = at + 1 - TWO_BLOCKS_LENGTH;
    const blocks = codes.subarray(first, at + 1);
    for (let match = all.indexOf(blocks); match >= 0; match = all.indexOf(blocks, match + 1)) {
      let from = first;
      let to = at + 1;
      const shift = match - first;
      while (from > 0 && codes[from - 1] === all[from - 1 + shift]) from -= 1;
      while (to < codes.length && codes[to] === all[to + shift]) to += 1;
      if (to - from < MIN_PART_LENGTH) continue;
      found.fill(1, from, to);
      next = to;
      break;
    }
  }
  for (const form of short) {
    for (let at = codes.indexOf(form); at >= 0; at = codes.indexOf(form, at + 1)) found.fill(1, at, at + form.length);
  }
}

/**
 * Returns a 20-bit hash of 4 characters. In code that V8 has not optimized yet, this calculation is faster than a
 * multiplication.
 */
const hashOf = (block: number): number => (block ^ (block >> 3) ^ (block >> 6) ^ (block >> 9)) & 0xfffff;

/** Builds the search index for strings in canonical form. */
function indexForms(forms: Buffer[]): SearchStrings {
  const all = Buffer.concat(forms.flatMap((form) => [form, Buffer.alloc(1)]));
  const blocks = new Int32Array(new Uint8Array(all).buffer, 0, all.length >> 2);
  const bits = new Int32Array(1 << 15);
  for (let at = 0; at < blocks.length; at += 1) {
    const hash = hashOf(blocks[at] as number);
    bits[hash >> 5] = (bits[hash >> 5] as number) | (1 << hash);
  }
  return {
    all,
    bits,
    short: forms.filter(({ length }) => length >= MIN_SECRET_CHARACTERS && length < MIN_PART_LENGTH),
  };
}

/**
 * Returns the canonical form of a secret. The secret is escaped for JSON first. Otherwise, a double quote in the secret
 * would have the code that ends a JSON string.
 */
const plainForm = (secret: string): Buffer => {
  const { codes, clear } = canonicalText(JSON.stringify(secret).slice(1, -1), true);
  const form = Buffer.from(codes);
  clear();
  return form;
};

/**
 * Returns a secret in hex and in three variants of base64, because the base64 form depends on the position of the secret in
 * the encoded text.
 */
function encodedForms(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((offset) =>
    // Omit the last base64 character if it also depends on the byte after the secret.
    bytes.toString("base64", offset).slice(0, Math.floor(((bytes.length - offset) * 4) / 3)),
  );
  // The canonical form of base64 or hex is the same text in lower case, because no character is removed.
  return [...base64, bytes.toString("hex")].map((text) => Buffer.from(text.toLowerCase()));
}

/**
 * Matches 12 printable ASCII characters that are encoded in base64 or hex. The highest bit of a printable ASCII character
 * is 0, and at least one of the next two bits is 1. If a text contains 16 consecutive characters of a secret in encoded
 * form, the pattern matches. The pattern also matches about one of 200 records without a secret.
 */
const ENCODED_TEXT =
  /(?:[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589][\w+/-]){4}|(?:[2-7][\da-f]){12}|(?:[2-7][\dA-F]){12}/;

import { escapeControls } from "../core/untrusted.ts";

/** A shorter secret is no key or token, and its characters occur in ordinary words. */
const SHORTEST_SECRET = 6;
/**
 * So many canonical characters of a secret in a row are removed. A run of 16 characters of a key or token has at least
 * that many, although canonical text leaves out padding and quotes.
 */
const RUN = 12;
/** Two aligned blocks of 4 are in each run of 11 characters. */
const BLOCKS = 8;

/** What the redactor looks for, made from one list of secrets. */
interface Index {
  /** The length of the list when the index was made: the list grows once the credentials are known. */
  secretCount: number;
  /** Each secret as it is, and as JSON and URLs escape it. The longest come first, because one can be part of another. */
  literals: string[];
  /** The secrets themselves. */
  plain: Forms;
  /** The secrets in base64 and hex. Made when a string looks like it: a token has thousands of characters. */
  encoded?: Forms;
}

/** Texts to find, in canonical characters. */
interface Forms {
  /** With a zero after each. */
  all: Buffer;
  /** A bit for the hash of each aligned block of 4 characters of `all`. */
  bits: Int32Array;
  /** Those that are shorter than a run: these are removed whole. */
  short: Buffer[];
}

/** The index of each list of secrets. It disappears with the list, so nothing of an invocation stays for the next one. */
const indexes = new WeakMap<string[], Index>();

/**
 * Returns a function that prepares a string to leave the process. It replaces every secret, and every run of at least 16
 * of its characters, by `***`: also if the string is wrapped over lines, escaped by JSON, URLs or HTML (repeatedly), or
 * contains the secret in base64, base64url or hex. In JSON it also escapes control characters. JSON stays valid JSON, with
 * the same values apart from the secrets.
 *
 * @param secrets is read at each call, because an invocation starts before its credentials are known
 */
export const redactor =
  (secrets: string[]) =>
  (text: string): string => {
    const isJson = /^\s*[[{]/.test(text);
    const parts = isJson ? slices(text) : [text];
    const clean = secrets.length === 0 ? text : parts.map((part) => withoutSecrets(part, secrets, isJson)).join("");
    // JSON can have tabs and line breaks between its tokens, where an escape would not be valid.
    return isJson && /[^ -~]/.test(clean) ? clean.replace(/[^\t\r\n]+/g, escapeControls) : clean;
  };

/** The redaction needs 6 bytes for each character, and a response of the gate has millions. */
const SLICE = 64 * 1024;

/** Cuts a long text behind quotes that are not escaped: no secret goes beyond them. */
function slices(text: string): string[] {
  if (text.length <= SLICE) return [text];
  const parts: string[] = [];
  let from = 0;
  for (let at = text.indexOf('"', SLICE); at >= 0; at = text.indexOf('"', Math.max(at + 1, from + SLICE))) {
    if (text[at - 1] === "\\") continue;
    parts.push(text.slice(from, at + 1));
    from = at + 1;
  }
  return [...parts, text.slice(from)];
}

function withoutSecrets(given: string, secrets: string[], isJson: boolean): string {
  const known = secrets.filter(({ length }) => length >= SHORTEST_SECRET);
  let index = indexes.get(secrets);
  if (index?.secretCount !== secrets.length) {
    const escaped = known.flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
    ]);
    const literals = [...new Set(escaped)].sort((a, b) => b.length - a.length);
    index = { secretCount: secrets.length, literals, plain: indexForms(known.map(plainForm)) };
    indexes.set(secrets, index);
  }
  const text = index.literals.reduce((clean, secret) => clean.replaceAll(secret, "***"), given);
  const { codes, cased, starts, found, clear } = canonicalText(text, isJson);
  markForms(found, codes, index.plain);
  if (ENCODED.test(cased.toString("latin1"))) {
    index.encoded ??= indexForms(known.flatMap(encodedForms));
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

/** Writes a 1 into `found` for each canonical character that belongs to one of the forms. */
function markForms(found: Uint8Array, codes: Buffer, { all, bits, short }: Forms): void {
  let block = 0;
  let hits = 0;
  let next = BLOCKS - 1;
  for (let at = 0; at < codes.length; at += 1) {
    block = (block >>> 8) | ((codes[at] as number) << 24);
    const hash = hashOf(block);
    hits = (hits << 1) | (((bits[hash >> 5] as number) >> hash) & 1);
    // Most strings get no further: two blocks in a row are hardly ever a coincidence.
    if ((hits & 0b10001) !== 0b10001 || at < next) continue;
    const first = at + 1 - BLOCKS;
    const blocks = codes.subarray(first, at + 1);
    for (let of = all.indexOf(blocks); of >= 0; of = all.indexOf(blocks, of + 1)) {
      let from = first;
      let to = at + 1;
      const shift = of - first;
      while (from > 0 && codes[from - 1] === all[from - 1 + shift]) from -= 1;
      while (to < codes.length && codes[to] === all[to + shift]) to += 1;
      if (to - from < RUN) continue;
      found.fill(1, from, to);
      next = to;
      break;
    }
  }
  for (const form of short) {
    for (let at = codes.indexOf(form); at >= 0; at = codes.indexOf(form, at + 1)) found.fill(1, at, at + form.length);
  }
}

/** A hash of 20 bits of 4 characters. Cheaper in code that is not optimized yet than a multiplication. */
const hashOf = (block: number): number => (block ^ (block >> 3) ^ (block >> 6) ^ (block >> 9)) & 0xfffff;

function indexForms(forms: Buffer[]): Forms {
  const all = Buffer.concat(forms.flatMap((form) => [form, Buffer.alloc(1)]));
  const blocks = new Int32Array(new Uint8Array(all).buffer, 0, all.length >> 2);
  const bits = new Int32Array(1 << 15);
  for (let at = 0; at < blocks.length; at += 1) {
    const hash = hashOf(blocks[at] as number);
    bits[hash >> 5] = (bits[hash >> 5] as number) | (1 << hash);
  }
  return { all, bits, short: forms.filter(({ length }) => length >= SHORTEST_SECRET && length < RUN) };
}

/** In JSON, so that its quotes are escaped: a quote that is not ends a JSON string. */
const plainForm = (secret: string): Buffer => {
  const { codes, clear } = canonicalText(JSON.stringify(secret).slice(1, -1), true);
  const form = Buffer.from(codes);
  clear();
  return form;
};

/** A secret in base64, at each of the three offsets that it can have within a larger text, and in hex. */
function encodedForms(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((offset) =>
    // The last base64 character depends on the next byte, unless the bytes before it end on its boundary.
    bytes.toString("base64", offset).slice(0, Math.floor(((bytes.length - offset) * 4) / 3)),
  );
  // Neither encoding has characters that are left out, so lower case is canonical.
  return [...base64, bytes.toString("hex")].map((text) => Buffer.from(text.toLowerCase()));
}

/**
 * 12 printable ASCII characters in base64 or hex: their highest bit is 0, and one of the next two is 1. 16 characters of a
 * secret contain them at any offset. Other text looks like this in about one of 200 records.
 */
const ENCODED =
  /(?:[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589][\w+/-]){4}|(?:[2-7][\da-f]){12}|(?:[2-7][\dA-F]){12}/;

/**
 * The canonical code of each ASCII character. Zero leaves it out: white space, and what surrounds or pads encoded text.
 * Upper case counts as lower case (hex), base64url as base64. A quote that is not escaped ends a JSON string; no secret
 * contains its code 1, so no match goes beyond it.
 */
const CODES = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  if (code <= 32 || "\\=<>&'\x7f".includes(character)) return 0;
  return { '"': 1, "-": 43, _: 47 }[character] ?? character.charCodeAt(0);
});

/** What wraps a text over lines, or is left out anyway. It can also stand within an escape. */
const NOISE = String.raw`(?:[\s=]|\\+[nrt])*`;

/**
 * A character that JSON, a URL or HTML escaped, perhaps repeatedly; an HTML line break. Noise can stand at each space. A URL
 * can have escaped the backslash (~) and the other characters that begin or end an escape.
 */
const escapePattern = (name: string) =>
  new RegExp(
    String.raw`(?:\\\\)*\\"|& (?:a m p ; )*(?:# x (?:0 )*((?:[\da-f] ){1,4});|# ((?:\d ){1,5});|@)|~(?: u ([\da-f] [\da-f] [\da-f] [\da-f])|[nrtbf]|([^"%&])|)|% (?:2 5 )*([\da-f] [\da-f])|<br\s*/?>`
      .replace("|@", name)
      .replaceAll("#", "(?:#|% (?:2 5 )*2 3)")
      .replaceAll(";", "(?:;|% (?:2 5 )*3 b)")
      .replaceAll("~", String.raw`(?:\\|% (?:2 5 )*5 c)+`)
      .replaceAll("& ", String.raw`(?:&|% (?:2 5 )*2 6|\\+(?!\\) u 0 0 2 6) `)
      .replaceAll(" ", NOISE),
    "iy",
  );
const NAMED = "|(?:[a-z] ){2,8};";
/** Made at the first use, because their length costs time at a cold start. */
const matchers = new Map<string, RegExp>();

/** @param names "" leaves out the names of HTML: what looks like one can be part of a secret */
function matchEscape(text: string, start: number, names = NAMED): RegExpExecArray | null {
  const matcher = matchers.get(names) ?? escapePattern(names);
  matchers.set(names, matcher);
  matcher.lastIndex = start;
  return matcher.exec(text);
}

/** HTML's names of the ASCII characters that a key or token can have, and of white space. */
const NAMES =
  "amp:& lt:< gt:> quot:\" apos:' equals:= bsol:\\ nbsp:  tab:  newline:  excl:! num:# dollar:$ percnt:% lpar:( rpar:) ast:* midast:* plus:+ comma:, hyphen:- dash:- period:. sol:/ colon:: semi:; quest:? commat:@ lsqb:[ lbrack:[ rsqb:] rbrack:] hat:^ lowbar:_ underbar:_ grave:` lcub:{ lbrace:{ verbar:| vert:| rcub:} rbrace:}";

const isNamed = ([escaped, ...codes]: RegExpExecArray): boolean =>
  escaped[escaped.length - 1] === ";" && codes.every((code) => code === undefined);

/** Returns the code of the character that an escape names, as `&sol;` does; 0 for any other escape. */
function namedCharacter(escaped: string): number {
  if (escaped[escaped.length - 1] !== ";") return 0;
  const name = escaped
    .replace(/\\+[nrt]/g, "")
    .replace(/[^a-z]/gi, "")
    .toLowerCase()
    .replace(/^(?:amp)+(?=.)/, "");
  const at = ` ${NAMES}`.indexOf(` ${name}:`);
  return at < 0 ? 0 : NAMES.charCodeAt(at + name.length + 1);
}

/** Returns where the character that starts at `start`, escaped or not, ends. */
function endOf(text: string, start: number): number {
  return start + (matchEscape(text, start)?.[0].length ?? 1);
}

interface Canonical {
  /** The canonical codes of a text, without escapes and line breaks. */
  codes: Buffer;
  /** The characters that they stand for. */
  cased: Buffer;
  /** Where in the text each one starts. */
  starts: Uint32Array;
  /** A zero for each code. */
  found: Uint8Array;
  /** Overwrites the codes, which can hold a secret. They are not to be used afterwards. */
  clear(): void;
}

const memoryFor = (length: number) => ({
  codes: Buffer.alloc(length),
  cased: Buffer.alloc(length),
  starts: new Uint32Array(length),
  found: new Uint8Array(length),
});

/** Used for each text anew: V8 frees such memory late, and 30,000 records would take more than a function has. */
let memory: ReturnType<typeof memoryFor> | undefined;

/**
 * Returns the canonical codes of a text, in memory that the next call uses again.
 *
 * @param isJson if false, a quote is left out, because it can be part of a secret
 */
function canonicalText(text: string, isJson: boolean): Canonical {
  if (memory === undefined || memory.codes.length < text.length) memory = memoryFor(Math.max(4_096, text.length));
  const { codes, cased, starts, found } = memory;
  let count = 0;
  for (let at = 0, end = 0; at < text.length; at = end) {
    let code = text.charCodeAt(at);
    end = at + 1;
    // The characters \ % & < begin an escape.
    if (code === 92 || code === 37 || code === 38 || code === 60) {
      let match = matchEscape(text, at);
      if (match !== null && isNamed(match) && namedCharacter(match[0]) === 0) match = matchEscape(text, at, "");
      const [escaped, hex, decimal, json, character, url] = match ?? [];
      if (escaped !== undefined) {
        end = at + escaped.length;
        const digits = (json ?? url ?? hex ?? "").replace(/[^\da-f]/gi, "");
        code = character?.charCodeAt(0) ?? Number(decimal?.replace(/\D/g, "") ?? `0x0${digits}`);
        code ||= namedCharacter(escaped);
        // An escaped quote is part of its JSON string.
        if (code === 34) code = 0;
      }
    }
    const canonical = code < 128 && (code !== 34 || isJson) ? CODES[code] : 0;
    if (canonical) {
      codes[count] = canonical;
      cased[count] = code;
      starts[count] = at;
      count += 1;
    }
  }
  return {
    codes: codes.subarray(0, count),
    cased: cased.subarray(0, count),
    starts,
    found: found.subarray(0, count),
    clear() {
      for (const bytes of [codes, cased, found]) bytes.fill(0, 0, count);
      if (codes.length > 2 * SLICE) memory = undefined;
    },
  };
}

/** The number of characters that are processed at a time. Each needs 6 bytes, and a response of the gate has millions. */
export const SLICE = 64 * 1024;

/**
 * The canonical code of each ASCII character. A zero omits the character: white space, and characters that surround or pad
 * encoded text. Upper case becomes lower case (for hex), and base64url becomes base64. A quote that is not escaped ends a JSON
 * string. It has the code 1, which no secret contains, so no match crosses it.
 */
const CODES = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  if (code <= 32 || "\\=<>&'\x7f".includes(character)) return 0;
  return { '"': 1, "-": 43, _: 47 }[character] ?? character.charCodeAt(0);
});

/** Matches line breaks, white space and padding, which can occur inside an escape too. */
const NOISE = String.raw`(?:[\s=]|\\+[nrt])*`;

/**
 * Returns a pattern for an HTML line break or a character that JSON, a URL or HTML escaped, even repeatedly. Each space in the
 * source allows noise. The backslash (~) and the other characters that begin or end an escape can themselves be URL-encoded.
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
/** The patterns, created at their first use, because their length costs time at a cold start. */
const matchers = new Map<string, RegExp>();

/**
 * Matches the escape that starts at `start`.
 *
 * @param names "" excludes the character names of HTML, because a part of a secret can look like such a name
 */
function matchEscape(text: string, start: number, names = NAMED): RegExpExecArray | null {
  const matcher = matchers.get(names) ?? escapePattern(names);
  matchers.set(names, matcher);
  matcher.lastIndex = start;
  return matcher.exec(text);
}

/** The HTML names of white space and of the ASCII characters in keys and tokens. */
const NAMES =
  "amp:& lt:< gt:> quot:\" apos:' equals:= bsol:\\ nbsp:  tab:  newline:  excl:! num:# dollar:$ percnt:% lpar:( rpar:) ast:* midast:* plus:+ comma:, hyphen:- dash:- period:. sol:/ colon:: semi:; quest:? commat:@ lsqb:[ lbrack:[ rsqb:] rbrack:] hat:^ lowbar:_ underbar:_ grave:` lcub:{ lbrace:{ verbar:| vert:| rcub:} rbrace:}";

const isNamed = ([escaped, ...codes]: RegExpExecArray): boolean =>
  escaped[escaped.length - 1] === ";" && codes.every((code) => code === undefined);

/** Returns the code of the character in an escape such as `&sol;`; 0 for any other escape. */
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

/** Returns the end of the character that starts at `start`, whether it is escaped or not. */
export function endOf(text: string, start: number): number {
  return start + (matchEscape(text, start)?.[0].length ?? 1);
}

/** A text without escapes and line breaks, as arrays with one entry for each of its characters. */
export interface CanonicalText {
  /** The canonical codes. */
  codes: Buffer;
  /** The characters in their original case. */
  cased: Buffer;
  /** The index in the original text at which each character starts. */
  starts: Uint32Array;
  /** Zeros, which the caller overwrites for the characters to remove. */
  found: Uint8Array;
  /** Overwrites all arrays, because they can contain a secret. */
  clear(): void;
}

const memoryFor = (length: number) => ({
  codes: Buffer.alloc(length),
  cased: Buffer.alloc(length),
  starts: new Uint32Array(length),
  found: new Uint8Array(length),
});

/** Reused for every text. V8 frees such memory late, so new memory for 30,000 records would not fit into a function. */
let memory: ReturnType<typeof memoryFor> | undefined;

/**
 * Returns the canonical form of a text, in memory that the next call reuses.
 *
 * @param isJson if false, quotes are omitted, because they can be part of a secret
 */
export function canonicalText(text: string, isJson: boolean): CanonicalText {
  if (memory === undefined || memory.codes.length < text.length) memory = memoryFor(Math.max(4_096, text.length));
  const { codes, cased, starts, found } = memory;
  let count = 0;
  for (let at = 0, end = 0; at < text.length; at = end) {
    let code = text.charCodeAt(at);
    end = at + 1;
    // \ % & < begin an escape.
    if (code === 92 || code === 37 || code === 38 || code === 60) {
      let match = matchEscape(text, at);
      if (match !== null && isNamed(match) && namedCharacter(match[0]) === 0) match = matchEscape(text, at, "");
      const [escaped, hex, decimal, json, character, url] = match ?? [];
      if (escaped !== undefined) {
        end = at + escaped.length;
        const digits = (json ?? url ?? hex ?? "").replace(/[^\da-f]/gi, "");
        code = character?.charCodeAt(0) ?? Number(decimal?.replace(/\D/g, "") ?? `0x0${digits}`);
        code ||= namedCharacter(escaped);
        // An escaped quote does not end its JSON string.
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

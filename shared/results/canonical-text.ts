/**
 * The approximate number of characters that are searched for secrets at a time. The search needs 7 bytes of memory for each
 * character, and a response of pre-deploy can have millions of characters.
 */
export const SLICE_LENGTH = 64 * 1024;

/**
 * Maps each ASCII character to its code in canonical text:
 *
 * - The code 0 means that the character is removed. White space and the characters that surround or pad encoded text have
 *   this code.
 * - An upper case letter has the code of the lower case letter, because hex digits can be in either case.
 * - The characters `-` and `_` of base64url have the codes of `+` and `/` of base64.
 * - A double quote has the code 1. No secret contains the code 1, so no match extends across the end of a JSON string.
 */
const CANONICAL_CODES = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  if (code <= 32 || "\\=<>&'\x7f".includes(character)) return 0;
  return { '"': 1, "-": 43, _: 47 }[character] ?? character.charCodeAt(0);
});

/**
 * Matches characters that can interrupt an escape sequence without changing its meaning: line breaks, white space and
 * padding.
 */
const NOISE = String.raw`(?:[\s=]|\\+[nrt])*`;

/**
 * Returns a pattern that matches an escaped character, such as `\u0041` (JSON), `%41` (URL) or `&amp;` (HTML). The pattern
 * also matches a character that was escaped several times, and the HTML tag `<br>`. The characters that begin or end an
 * escape sequence can themselves be URL-encoded. In the source of the pattern, each space stands for `NOISE`. Each `~`
 * stands for one or more backslashes.
 */
const createEscapePattern = (namePattern: string) =>
  new RegExp(
    String.raw`(?:\\\\)*\\"|& (?:a m p ; )*(?:# x (?:0 )*((?:[\da-f] ){1,4});|# ((?:\d ){1,5});|@)|~(?: u ([\da-f] [\da-f] [\da-f] [\da-f])|[nrtbf]|([^"%&])|)|% (?:2 5 )*([\da-f] [\da-f])|<br\s*/?>`
      .replace("|@", namePattern)
      .replaceAll("#", "(?:#|% (?:2 5 )*2 3)")
      .replaceAll(";", "(?:;|% (?:2 5 )*3 b)")
      .replaceAll("~", String.raw`(?:\\|% (?:2 5 )*5 c)+`)
      .replaceAll("& ", String.raw`(?:&|% (?:2 5 )*2 6|\\+(?!\\) u 0 0 2 6) `)
      .replaceAll(" ", NOISE),
    "iy",
  );
/** The part of an escape pattern that matches HTML character names, such as `sol;` in `&sol;`. */
const NAME_PATTERN = "|(?:[a-z] ){2,8};";
/** The compiled escape patterns. Each is compiled at its first use, because compiling takes too long for a cold start. */
const matchers = new Map<string, RegExp>();

/**
 * Finds the escape sequence that starts at the index `start` of a text, such as `%2F` or `&sol;`. Returns the match, whose groups
 * contain the character code, or null if no escape sequence starts there.
 *
 * @param namePattern the part of the pattern that matches HTML character names, or an empty string to match no names. Text such as
 *   `&secret;` has the form of a name, but is none. For such text, the caller passes an empty string, because the text can be a part
 *   of a secret.
 */
function matchEscape(text: string, start: number, namePattern = NAME_PATTERN): RegExpExecArray | null {
  const matcher = matchers.get(namePattern) ?? createEscapePattern(namePattern);
  matchers.set(namePattern, matcher);
  matcher.lastIndex = start;
  return matcher.exec(text);
}

/**
 * The HTML names of white space and of the ASCII characters in keys and tokens, each followed by a colon and the character.
 */
const HTML_NAMES =
  "amp:& lt:< gt:> quot:\" apos:' equals:= bsol:\\ nbsp:  tab:  newline:  excl:! num:# dollar:$ percnt:% lpar:( rpar:) ast:* midast:* plus:+ comma:, hyphen:- dash:- period:. sol:/ colon:: semi:; quest:? commat:@ lsqb:[ lbrack:[ rsqb:] rbrack:] hat:^ lowbar:_ underbar:_ grave:` lcub:{ lbrace:{ verbar:| vert:| rcub:} rbrace:}";

/** Returns whether a matched escape sequence is an HTML character name, such as `&sol;`. */
const isNamed = ([escaped, ...codes]: RegExpExecArray): boolean =>
  escaped[escaped.length - 1] === ";" && codes.every((code) => code === undefined);

/**
 * Returns the code of the character in an escape sequence with an HTML name, such as `&sol;`, or 0 for any other escape
 * sequence.
 */
function namedCharacter(escaped: string): number {
  if (escaped[escaped.length - 1] !== ";") return 0;
  const name = escaped
    .replace(/\\+[nrt]/g, "")
    .replace(/[^a-z]/gi, "")
    .toLowerCase()
    .replace(/^(?:amp)+(?=.)/, "");
  const at = ` ${HTML_NAMES}`.indexOf(` ${name}:`);
  return at < 0 ? 0 : HTML_NAMES.charCodeAt(at + name.length + 1);
}

/** Returns the index after the character or escape sequence that starts at the index `start` of a text. */
export function endOf(text: string, start: number): number {
  return start + (matchEscape(text, start)?.[0].length ?? 1);
}

/**
 * A text without escape sequences and line breaks, in which secrets can be found. Each array has one entry for each
 * character of this canonical text.
 */
export interface CanonicalText {
  /** The code of each character in the canonical text, in lower case. */
  codes: Buffer;
  /** The code of each character in the canonical text, in its original case. */
  cased: Buffer;
  /** For each character in the canonical text, the index at which the character begins in the original text. */
  starts: Uint32Array;
  /** Contains zeros at first. The caller sets the entries of the characters that belong to a secret to 1. */
  found: Uint8Array;
  /** Overwrites the characters with zeros, because they can contain a secret. */
  clear(): void;
}

const allocateArrays = (length: number) => ({
  codes: Buffer.alloc(length),
  cased: Buffer.alloc(length),
  starts: new Uint32Array(length),
  found: new Uint8Array(length),
});

/**
 * The arrays of `canonicalText`, which are reused for every text. V8 frees arrays late, so new arrays for 30,000 records
 * would not fit into the memory of a function.
 */
let arrays: ReturnType<typeof allocateArrays> | undefined;

/**
 * Returns the canonical form of a text. The next call of this function overwrites the returned arrays.
 *
 * @param isJson true if the text is JSON, in which a double quote ends a string. In other texts, double quotes are removed,
 *   because a double quote can be part of a secret.
 */
export function canonicalText(text: string, isJson: boolean): CanonicalText {
  if (arrays === undefined || arrays.codes.length < text.length) arrays = allocateArrays(Math.max(4_096, text.length));
  const { codes, cased, starts, found } = arrays;
  let count = 0;
  for (let at = 0, end = 0; at < text.length; at = end) {
    let code = text.charCodeAt(at);
    end = at + 1;
    // The characters \ % & < begin an escape sequence.
    if (code === 92 || code === 37 || code === 38 || code === 60) {
      let match = matchEscape(text, at);
      if (match !== null && isNamed(match) && namedCharacter(match[0]) === 0) match = matchEscape(text, at, "");
      const [escaped, hex, decimal, json, character, url] = match ?? [];
      if (escaped !== undefined) {
        end = at + escaped.length;
        const digits = (json ?? url ?? hex ?? "").replace(/[^\da-f]/gi, "");
        code = character?.charCodeAt(0) ?? Number(decimal?.replace(/\D/g, "") ?? `0x0${digits}`);
        code ||= namedCharacter(escaped);
        // An escaped quote does not end the JSON string that contains it.
        if (code === 34) code = 0;
      }
    }
    const canonical = code < 128 && (code !== 34 || isJson) ? CANONICAL_CODES[code] : 0;
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
      if (codes.length > 2 * SLICE_LENGTH) arrays = undefined;
    },
  };
}

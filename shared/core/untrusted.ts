/**
 * Shortens a string from a caller or the cloud to at most `maxLength` UTF-16 code units. A shortened string ends with `…`.
 * No surrogate pair is split.
 *
 * @param maxLength at least 1; includes the `…`
 * @example boundText("EVS.5404", 128) // "EVS.5404"
 * @example boundText("abcdef", 4) // "abc…"
 */
export function boundText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const kept = text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, "");
  // V8 implements a slice as a view, so the short slice would keep the whole long string in memory. Encoding and decoding the
  // slice creates a small copy.
  return `${Buffer.from(kept, "utf16le").toString("utf16le")}…`;
}

/**
 * A pattern for the characters that can mislead a reader of a log: control characters (C0, DEL, C1), format characters
 * (bidirectional controls, zero-width characters, tags), line and paragraph separators, and lone surrogates.
 */
const CONTROLS = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]`;
/**
 * The compiled `CONTROLS` pattern. Compiled at the first use, because compiling adds 0.4 ms to a cold start and most
 * strings are plain ASCII.
 */
let controlsPattern: RegExp | undefined;

/**
 * Replaces each character that could mislead a reader of a log by its escape `\uXXXX`. These are control characters, line
 * separators, invisible characters, characters that change the reading direction, and invalid Unicode. If the text is JSON
 * without line breaks between its tokens, the text keeps its meaning.
 *
 * @example escapeControls("a\u202eb") // "a\\u202eb"
 */
export function escapeControls(text: string): string {
  if (!/[^ -~]/.test(text)) return text;
  controlsPattern ??= new RegExp(CONTROLS, "gu");
  return text.replace(controlsPattern, escapeUnits);
}

const escapeUnits = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

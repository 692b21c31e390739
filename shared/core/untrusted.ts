/**
 * Cuts a string that comes from outside to at most `maxLength` UTF-16 code units. A string that was cut ends in `…`, and
 * the cut never splits a surrogate pair.
 *
 * @param maxLength at least 1; the `…` is part of it
 * @example boundText("EVS.5404", 128) // "EVS.5404"
 * @example boundText("abcdef", 4) // "abc…"
 */
export function boundText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const kept = text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, "");
  // V8 represents a slice as a view that keeps the whole string in memory; a trip through a buffer makes a copy.
  return `${Buffer.from(kept, "utf16le").toString("utf16le")}…`;
}

/**
 * Control characters (C0, DEL, C1), format characters (bidirectional controls, zero-width characters, tags), line and
 * paragraph separators, and lone surrogates.
 */
const CONTROLS = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]`;
/** Compiled at the first use, because it adds 0.4 ms to a cold start and most strings are plain ASCII. */
let controls: RegExp | undefined;

/**
 * Replaces characters that could mislead a reader of a log by their escape `\uXXXX`: control characters, line separators,
 * invisible characters, characters that change the reading direction, and invalid Unicode. `JSON.parse` returns the original
 * string if the input is serialized JSON without line breaks between its tokens.
 *
 * @example escapeControls("a\u202eb") // "a\\u202eb"
 */
export function escapeControls(text: string): string {
  if (!/[^ -~]/.test(text)) return text;
  controls ??= new RegExp(CONTROLS, "gu");
  return text.replace(controls, escapeUnits);
}

const escapeUnits = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

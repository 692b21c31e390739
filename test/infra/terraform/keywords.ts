/**
 * Implements the part of LTS's search that the alarms use (user guide, "Using Search Syntax", lts_05_0111): delimiters split a line
 * into words, `#"one two"` is a phrase of consecutive words, `and` has precedence over `or`, and case does not matter.
 */
const DELIMITERS = /[,'";=()[\]{}@&<>/:\\?\n\t\r ]+/;

const cache = new Map<string, string[]>();

/** Returns the words of a text. They are cached, because every broken copy of the module searches the same records. */
function wordsOf(text: string): string[] {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const words = text.toLowerCase().split(DELIMITERS).filter(Boolean);
  cache.set(text, words);
  return words;
}

/**
 * Returns whether a statement matches a line.
 *
 * @throws {Error} when the statement has more than phrases with `and` and `or`
 */
export function finds(statement: string, line: string): boolean {
  const words = wordsOf(line);
  return statement
    .split(/ or /i)
    .some((each) => each.split(/ and /i).every((phrase) => hasPhrase(phrase.trim(), words)));
}

function hasPhrase(phrase: string, words: string[]): boolean {
  const inner = /^#"([^"]+)"$/.exec(phrase)?.[1];
  if (inner === undefined) throw new Error(`Expected a phrase, #"...", got ${phrase}`);
  const wanted = wordsOf(inner);
  return words.some((_, start) => wanted.every((word, index) => words[start + index] === word));
}

/**
 * LTS's search, as far as the alarms use it, from its user guide ("Using Search Syntax", lts_05_0111): delimiters cut a
 * line into words; `#"one two"` is a phrase, those words in this order; `and` before `or`; case does not matter.
 */
const DELIMITERS = /[,'";=()[\]{}@&<>/:\\?\n\t\r ]+/;

const cut = new Map<string, string[]>();

/** Remembered: the same records are searched for every copy of the files. */
function wordsOf(text: string): string[] {
  const known = cut.get(text);
  if (known !== undefined) return known;
  const words = text.toLowerCase().split(DELIMITERS).filter(Boolean);
  cut.set(text, words);
  return words;
}

/** Whether a line is found; throws where the statement is more than phrases with `and` and `or`. */
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

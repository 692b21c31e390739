/**
 * Implements the LTS search syntax that the alarms use (LTS user guide, "Using Search Syntax", lts_05_0111): delimiters split a
 * line into words, `#"one two"` matches consecutive words, `and` has precedence over `or`, and the search ignores case.
 */
const DELIMITERS = /[,'";=()[\]{}@&<>/:\\?\n\t\r ]+/;

const cache = new Map<string, string[]>();

/**
 * Returns the words of a text. The words are cached, because the tests of all broken copies of the Terraform module search the same
 * records.
 */
function wordsOf(text: string): string[] {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const words = text.toLowerCase().split(DELIMITERS).filter(Boolean);
  cache.set(text, words);
  return words;
}

/**
 * Returns whether a search statement matches a log line.
 *
 * @throws {Error} if the statement contains anything except phrases, `and` and `or`
 */
export function finds(statement: string, line: string): boolean {
  const words = wordsOf(line);
  return statement
    .split(/ or /i)
    .some((each) => each.split(/ and /i).every((phrase) => hasPhrase(phrase.trim(), words)));
}

function hasPhrase(phrase: string, words: string[]): boolean {
  const inner = /^#"([^"]+)"$/.exec(phrase)?.[1];
  if (inner === undefined) throw new Error(`LTS search statement: expected a phrase such as #"one two", got ${phrase}`);
  const wanted = wordsOf(inner);
  return words.some((_, start) => wanted.every((word, index) => words[start + index] === word));
}

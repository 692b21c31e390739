/** What is shorter is no key or token, and would be found in every other word. */
const LEAST = 6;
/** So much of a secret's beginning gives it away: a message that is cut off may end within it. */
const ENOUGH = 12;
/** What follows such a beginning, as keys and tokens are written; JSON's quotes end it. */
const REST = String.raw`(?:[\w+/=%~.-]|\\{1,16}(?:u[\da-fA-F]{4}|/)|&#?\w{1,6};)*`;

/** A pattern for each list of secrets; it goes with its list, so that nothing of one invocation stays for the next. */
const patterns = new WeakMap<string[], { of: number; pattern: RegExp }>();

/**
 * Takes secrets out of a text, also where JSON, a URL or a page has escaped them, several times over. The cloud may
 * repeat a token in a message, and nothing that this project prints, reports or answers may carry one on (DESIGN 5.7).
 * A line of JSON stays one.
 *
 * @param secrets may grow: an invocation begins before it knows them
 */
export const redactor =
  (secrets: string[]) =>
  (text: string): string => {
    let known = patterns.get(secrets);
    if (known?.of !== secrets.length) {
      known = { of: secrets.length, pattern: patternOf(secrets) };
      patterns.set(secrets, known);
    }
    return text.replace(known.pattern, "***");
  };

function patternOf(secrets: string[]): RegExp {
  // The longest first: one secret may be part of another.
  const found = secrets.filter((secret) => secret.length >= LEAST).sort((a, b) => b.length - a.length);
  // The whole of it first, then what was cut off of it.
  const each = found.flatMap((secret) => {
    const signs = [...secret].map(patternOfSign);
    return secret.length > ENOUGH ? [signs.join(""), signs.slice(0, ENOUGH).join("") + REST] : [signs.join("")];
  });
  // None: what never matches.
  return new RegExp(each.join("|") || "(?!)", "g");
}

/** One sign of a secret, in any of its spellings. The bounds keep a text of backslashes from being read for ever. */
function patternOfSign(sign: string): string {
  const code = sign.charCodeAt(0);
  const hex = code
    .toString(16)
    .padStart(2, "0")
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const plain = /\w/.test(sign) ? sign : `\\u${code.toString(16).padStart(4, "0")}`;
  const entity = /\w/.test(sign) ? "" : "|&#?\\w{1,6};";
  return `(?:\\\\{0,16}${plain}|\\\\{1,16}u00${hex}|%(?:25){0,3}${hex}${entity})`;
}

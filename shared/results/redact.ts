/** What is shorter is no key or token, and would be found in every other word. */
const LEAST = 6;
/** So much of a secret's beginning gives it away: a message that is cut off may end within it. */
const ENOUGH = 12;
/** What follows such a beginning, as keys and tokens are written; JSON's quotes end it. */
const REST = String.raw`(?:[\w+/=%~.-]|\\{1,16}(?:u[\da-fA-F]{4}|/)|&#?\w{1,6};)*`;

/** What every spelling but the plain one has. */
const ESCAPED = /[\\%&]/;

interface Known {
  of: number;
  /**
   * Each secret whole, as it is and as JSON and a URL write it; the longest first, as one may be part of another, and what is escaped holds what is not.
   */
  whole: string[];
  /** The beginning of each, in any spelling, with what follows it: for what is cut off or escaped in another way. */
  begun: RegExp;
}

/** What is known of each list of secrets; it goes with its list, so that nothing of one invocation stays for the next. */
const knowledge = new WeakMap<string[], Known>();

/**
 * Takes secrets out of a text, also where JSON, a URL or a page has escaped them, several times over. The cloud may
 * repeat a token in a message, and nothing that this project prints, reports or answers may carry one on (DESIGN 5.7).
 * A line of JSON stays one. A token may have thousands of characters: only its beginning makes a pattern.
 *
 * @param secrets may grow: an invocation begins before it knows them
 */
export const redactor =
  (secrets: string[]) =>
  (text: string): string => {
    // Most texts hold nothing of one in any spelling, and making the pattern takes longer than a request.
    if (
      !ESCAPED.test(text) &&
      !secrets.some((secret) => secret.length >= LEAST && text.includes(secret.slice(0, ENOUGH)))
    ) {
      return text;
    }
    let known = knowledge.get(secrets);
    if (known?.of !== secrets.length) {
      known = knownOf(secrets);
      knowledge.set(secrets, known);
    }
    const { whole, begun } = known;
    return whole.reduce((clean, secret) => clean.replaceAll(secret, "***"), text).replace(begun, "***");
  };

function knownOf(secrets: string[]): Known {
  const found = secrets.filter((secret) => secret.length >= LEAST).sort((a, b) => b.length - a.length);
  const whole = found.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const begun = found.map((secret) => {
    const signs = [...secret.slice(0, ENOUGH)].map(patternOfSign).join("");
    return secret.length > ENOUGH ? signs + REST : signs;
  });
  // None: what never matches.
  return {
    of: secrets.length,
    whole: [...new Set(whole)].sort((a, b) => b.length - a.length),
    begun: new RegExp(begun.join("|") || "(?!)", "g"),
  };
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

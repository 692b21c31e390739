/** What ends a line or steers a terminal, and the older of the two ways in which a line of a log is a command to GitHub. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|##(?=\[)/gu;

const escaped = (sign: string) =>
  [...sign].map((one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`).join("");

/**
 * A text of somebody else's as one line. Pipelines take lines that begin with `::` for commands of the job (GitHub's
 * workflow commands), so a line of ours never begins with what an answer says.
 */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

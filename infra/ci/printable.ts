/**
 * Matches characters that are invisible, end a line or control a terminal. Also matches the `##` of `##[`, `##vso[` and
 * `##teamcity[`, because these start a command to GitHub, Azure Pipelines or TeamCity anywhere in a line.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|##(?=\w*\[)/gu;

const escapeUnits = (text: string) =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

/**
 * Escapes the characters in a response that must not reach a pipeline's log. In addition, the client never prints response text
 * at the beginning of a line, because GitHub executes a line that begins with `::` as a workflow command.
 */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escapeUnits);

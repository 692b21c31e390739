/**
 * Matches characters that end a line, control a terminal or are invisible, and `##[`, `##vso[` and `##teamcity[`, which begin
 * a command to GitHub, Azure Pipelines or TeamCity anywhere in a line.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|##(?=\w*\[)/gu;

const escaped = (text: string) =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

/**
 * Escapes the characters of a response that must not reach a pipeline's log. GitHub also executes a line that begins with `::`
 * as a workflow command, so the client never prints text of a response at the beginning of a line.
 */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

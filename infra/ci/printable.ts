/**
 * Characters that end a line, steer a terminal or are invisible, and `##[`, `##vso[` and `##teamcity[`, which begin a command
 * to GitHub, Azure Pipelines and TeamCity within a line.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|##(?=\w*\[)/gu;

const escaped = (text: string) =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

/**
 * Returns foreign text as one line. Pipelines take lines that begin with `::` for commands of the job (GitHub's workflow
 * commands), so a line of ours never begins with what an answer says.
 */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

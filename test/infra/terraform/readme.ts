/** Reads the names of the functions from functions/, and the tables of infra/README.md. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The names of all functions, which are the names of the folders in functions/. */
export const FUNCTIONS = readdirSync(join(import.meta.dirname, "..", "..", "..", "functions"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

export const README = readFileSync(join(import.meta.dirname, "..", "..", "..", "infra", "README.md"), "utf8");

/** The rows of all tables in infra/README.md, without backquotes. */
export const ROWS = README.split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );

/** Maps each call to its IAM actions, the functions that make the call, and the public source, as in infra/README.md. */
export const RIGHTS: Record<string, { actions: string[]; functions: string[]; source: string }> = Object.fromEntries(
  ROWS.filter(([call = ""]) => /^(evs|ecs|dws|functiongraph|lts)\.\w+$/.test(call)).map(
    ([call = "", , action = "", functions = "", source = ""]) => [
      call,
      { actions: action === "none" ? [] : action.split(", "), functions: functions.split(", "), source },
    ],
  ),
);

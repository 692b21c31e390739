import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Writes variables to a file with one line `NAME=value` for each variable. Only the current user can read the file.
 *
 * @param name the name of the file in the folder for temporary files. A file of an earlier process is replaced.
 * @returns the path of the file
 * @throws Error if another user owns a file with this name
 */
export function writeEnvFile(name: string, variables: Record<string, string>): string {
  const path = join(tmpdir(), name);
  const text = Object.entries(variables).map(([key, value]) => `${key}=${value}\n`);
  rmSync(path, { force: true });
  // With the flag `wx`, the file is never written through a symbolic link that another user created.
  writeFileSync(path, text.join(""), { mode: 0o600, flag: "wx" });
  return path;
}

import { join } from "node:path";

export interface InstanceSettings {
  /** The folder that contains one folder per function. */
  dist: string;
  functionName: string;
  package: string;
  projectId: string;
  timeoutSeconds: number;
  memoryMb: number;
  cpuMillicores: number;
  userData: Record<string, string>;
  /** Additional environment variables, such as credentials outside FunctionGraph. */
  extra: Record<string, string>;
}

export const HANDLER = "index.handler";

/**
 * Returns the complete environment of an instance: the RUNTIME_* variables of the platform
 * (SOURCES.md#functiongraph-runtime-variables) and PATH. It contains no other variable of the developer's shell, so no secret
 * and no setting reaches a function by accident. It does not contain the user data as variables, because it is unconfirmed
 * whether the platform does this for event functions (SOURCES.md#functiongraph-user-data).
 */
export function instanceEnvironment(settings: InstanceSettings): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    RUNTIME_PROJECT_ID: settings.projectId,
    RUNTIME_FUNC_NAME: settings.functionName,
    RUNTIME_FUNC_VERSION: "latest",
    RUNTIME_PACKAGE: settings.package,
    RUNTIME_HANDLER: HANDLER,
    RUNTIME_TIMEOUT: String(settings.timeoutSeconds),
    RUNTIME_USERDATA: JSON.stringify(settings.userData),
    RUNTIME_CPU: String(settings.cpuMillicores),
    RUNTIME_MEMORY: String(settings.memoryMb),
    RUNTIME_MAX_RESP_BODY_SIZE: "6291456",
    RUNTIME_ROOT: "/home/snuser/runtime",
    RUNTIME_CODE_ROOT: join(settings.dist, settings.functionName),
    RUNTIME_LOG_DIR: "/home/snuser/log",
    ...settings.extra,
  };
}

/** Rejects user data that exceeds a limit of the platform (SOURCES.md#functiongraph-user-data-limits). */
export function checkUserData(userData: Record<string, string>): void {
  const names = Object.keys(userData);
  if (names.length > 20)
    throw new Error(`userData: expected at most 20 variables (the limit of FunctionGraph), got ${names.length}`);
  const length = Object.entries(userData).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > 4096)
    throw new Error(`userData: expected at most 4096 characters (the limit of FunctionGraph), got ${length}`);
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
      throw new Error(`userData: FunctionGraph allows no variable named "${name}"`);
  }
}

import { join } from "node:path";

/** The settings of every instance of one function. */
export interface InstanceSettings {
  /** The folder with the built bundles: one folder for each function. */
  dist: string;
  functionName: string;
  package: string;
  projectId: string;
  timeoutSeconds: number;
  memoryMb: number;
  cpuMillicores: number;
  userData: Record<string, string>;
  /** Environment variables that FunctionGraph does not set, such as an access key for `npm run invoke -- … --real`. */
  extra: Record<string, string>;
}

export const HANDLER = "index.handler";

/**
 * Returns all environment variables of an instance: PATH and the platform's RUNTIME_* variables
 * (SOURCES.md#functiongraph-runtime-variables). Omits all other variables of the developer's shell, so no secret or setting
 * reaches a function by accident. Omits the user data, because it is unconfirmed whether the platform sets one variable for each
 * entry (SOURCES.md#functiongraph-user-data).
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

/** Throws if the user data exceeds a limit of FunctionGraph (SOURCES.md#functiongraph-user-data-limits). */
export function checkUserData(userData: Record<string, string>): void {
  const names = Object.keys(userData);
  if (names.length > 20)
    throw new Error(`userData: expected at most 20 variables (the limit of FunctionGraph), got ${names.length}`);
  const length = Object.entries(userData).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > 4096)
    throw new Error(`userData: expected at most 4096 characters (the limit of FunctionGraph), got ${length}`);
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
      throw new Error(`userData: FunctionGraph does not allow the variable name "${name}"`);
  }
}

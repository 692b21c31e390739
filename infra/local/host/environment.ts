import { join } from "node:path";

export interface InstanceSettings {
  /** The folder that holds one folder per function. */
  dist: string;
  functionName: string;
  package: string;
  projectId: string;
  timeoutSeconds: number;
  memoryMb: number;
  cpuMillicores: number;
  userData: Record<string, string>;
  /** More variables of the process, by name: for credentials outside FunctionGraph. */
  extra: Record<string, string>;
}

export const HANDLER = "index.handler";

/**
 * The whole environment of an instance: the platform's RUNTIME_* variables (functiongraph.md 1.5) and PATH. Nothing
 * else of ours, so that no secret of the developer's shell gets in and no setting is there by accident. User data is
 * not spread over it: whether the platform does so for event functions is unconfirmed.
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

/** The platform's limits for user data (functiongraph.md 1.5); past them a deployment fails, so the host does too. */
export function checkUserData(userData: Record<string, string>): void {
  const names = Object.keys(userData);
  if (names.length > 20) throw new Error(`FunctionGraph allows 20 variables, got ${names.length}`);
  const length = Object.entries(userData).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > 4096) throw new Error(`FunctionGraph allows 4096 characters of variables, got ${length}`);
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) throw new Error(`FunctionGraph takes no variable named "${name}"`);
  }
}

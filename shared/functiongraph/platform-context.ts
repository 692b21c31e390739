/**
 * The methods of FunctionGraph's context object that this project uses (SOURCES.md#functiongraph-context). All methods are
 * optional, because a test console, an emulator or an older runtime can lack some.
 *
 * The project does not use `getAccessKey` and `getSecretKey`, which are no longer maintained. It does not use
 * `getRunningTimeInSeconds` either, because its unit is unclear (SOURCES.md#functiongraph-running-time).
 */
export interface FunctionGraphContext {
  getRequestID?(): string;
  getRemainingTimeInMilliSeconds?(): number;
  getSecurityAccessKey?(): string;
  getSecuritySecretKey?(): string;
  getSecurityToken?(): string;
  getToken?(): string;
  getUserData?(key: string): string | undefined;
  getProjectID?(): string;
  getPackage?(): string;
  getFunctionName?(): string;
  getVersion?(): string;
  getMemorySize?(): string;
}

/**
 * The values that `readContext` reads from FunctionGraph's context. A string is empty if the context does not have the
 * value.
 */
export interface PlatformContext {
  requestId: string;
  /** The milliseconds until the platform stops the invocation. Undefined if the context does not have this value. */
  remainingMs: number | undefined;
  projectId: string;
  package: string;
  functionName: string;
  version: string;
  /** The memory of the function in MB. Undefined if the context does not have this value. */
  memoryMb: number | undefined;
  /** The temporary credentials of the function's agency. */
  agency: { securityAccessKey: string; securitySecretKey: string; securityToken: string; token: string };
  /** Returns the value of a configuration variable, or an empty string if the variable is not set. */
  userData(key: string): string;
}

/**
 * Reads the context that FunctionGraph passes to a function. Never throws, because the record of a failed invocation also
 * contains values from the context.
 *
 * @param given the context. Any value other than an object is treated as a context without methods.
 */
export function readContext(given: unknown): PlatformContext {
  const context = (typeof given === "object" && given !== null ? given : {}) as Record<string, unknown>;
  const call = (name: keyof FunctionGraphContext, ...values: string[]): unknown => {
    const member = context[name];
    if (typeof member !== "function") return undefined;
    try {
      return member.apply(context, values);
    } catch {
      return undefined;
    }
  };
  const text = (name: keyof FunctionGraphContext, ...values: string[]): string => {
    const value = call(name, ...values);
    return typeof value === "string" ? value : "";
  };
  const remaining = call("getRemainingTimeInMilliSeconds");
  return {
    requestId: text("getRequestID"),
    remainingMs: typeof remaining === "number" && Number.isFinite(remaining) ? remaining : undefined,
    projectId: text("getProjectID"),
    package: text("getPackage"),
    functionName: text("getFunctionName"),
    version: text("getVersion"),
    memoryMb: Number(text("getMemorySize")) || undefined,
    agency: {
      securityAccessKey: text("getSecurityAccessKey"),
      securitySecretKey: text("getSecuritySecretKey"),
      securityToken: text("getSecurityToken"),
      token: text("getToken"),
    },
    userData: (key) => text("getUserData", key),
  };
}

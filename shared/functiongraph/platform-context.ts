/**
 * The members of FunctionGraph's context that are used (functiongraph.md 1.3). All optional: a test console, an emulator
 * or an older runtime may lack some. Not used on purpose: `getAccessKey`, `getSecretKey` (no longer maintained) and
 * `getRunningTimeInSeconds` (documents and runtime disagree about its unit).
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

/** What the context said, as plain data; empty texts where it said nothing. */
export interface PlatformContext {
  requestId: string;
  /** Milliseconds until the platform ends the invocation; undefined where the context does not say. */
  remainingMs: number | undefined;
  projectId: string;
  package: string;
  functionName: string;
  version: string;
  /** The memory of the function in MB; undefined where the context does not say. */
  memoryMb: number | undefined;
  /** The temporary key of the function's agency, and its token. */
  agency: { securityAccessKey: string; securitySecretKey: string; securityToken: string; token: string };
  userData(key: string): string;
}

/** Reads the context at the start of an invocation; never fails, because the record of a failure needs it too. */
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

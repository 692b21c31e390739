/** Returns a function URN: `urn:fss:{region}:{project}:function:{package}:{name}:{version}` (SOURCES.md#functiongraph-urn). */
export function functionUrn(region: string, projectId: string, functionName: string): string {
  return `urn:fss:${region}:${projectId}:function:default:${functionName}:latest`;
}

/**
 * Returns the function name in a URN. The version at the end of the URN is optional. Returns undefined if the URN is malformed.
 */
export function functionOfUrn(urn: string): string | undefined {
  return /^urn:fss:[^:]+:[^:]+:function:[^:]+:([^:]+)(?::[^:]+)?$/.exec(urn)?.[1];
}

interface AsyncCall {
  urn: string;
  payload: unknown;
  requestId: string;
}

interface AsyncHost {
  invokeAsync(name: string, event: unknown, options: { requestId: string }): Promise<unknown>;
}

/**
 * Runs an asynchronous invocation that the embedded cloud has accepted. The function receives the request id that the embedded
 * cloud sent to the caller. Pass this function to `startCloud` as `onInvokeAsync`.
 */
export async function runAsyncCall(host: AsyncHost, call: AsyncCall): Promise<void> {
  const name = functionOfUrn(call.urn);
  if (!name) throw new Error(`urn: expected the URN of a function, got "${call.urn}"`);
  await host.invokeAsync(name, call.payload, { requestId: call.requestId });
}

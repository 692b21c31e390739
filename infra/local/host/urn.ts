/** `urn:fss:{region}:{project}:function:{package}:{name}:{version}` (DESIGN 4.3). */
export function functionUrn(region: string, projectId: string, functionName: string): string {
  return `urn:fss:${region}:${projectId}:function:default:${functionName}:latest`;
}

/** The function that a URN names, with or without a version. */
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

/** For the embedded cloud's `onInvokeAsync`: runs what the invocation API acknowledged, under the id it gave. */
export async function runAsyncCall(host: AsyncHost, call: AsyncCall): Promise<void> {
  const name = functionOfUrn(call.urn);
  if (!name) throw new Error(`not the URN of a function: ${call.urn}`);
  await host.invokeAsync(name, call.payload, { requestId: call.requestId });
}

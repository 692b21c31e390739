export type { FailureNotice } from "./async-queue.ts";
export { type Gateway, startGateway } from "./gateway.ts";
export { bundlesIn, type Host, type HostOptions, startHost } from "./host.ts";
export type { Credentials, FunctionError, OutputLine } from "./instance.ts";
export type { Invocation } from "./invocation.ts";
export { functionOfUrn, functionUrn, runAsyncCall } from "./urn.ts";

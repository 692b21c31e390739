import middy from "@middy/core";
import type { Variables } from "../functiongraph/variables.ts";
import type { TargetFields } from "../results/record.ts";
import type { SchemaOf } from "../validation/validate.ts";
import { configureInvocation } from "./configuration.ts";
import { createErrorMiddleware } from "./error-responses.ts";
import type { BaseInvocation, Invocation } from "./invocation.ts";
import { startInvocation } from "./invocation-context.ts";
import { withDeadline } from "./invocation-deadline.ts";
import { createRecordMiddleware } from "./result-records.ts";
import { nodeRuntime, type Runtime } from "./runtime.ts";
import type { TriggerReader } from "./trigger-reader.ts";
import { assertValid } from "./validation.ts";

/** The arguments of `compose`: the parts that make up a function. */
interface Parts<Request extends { body: unknown }, Result, Body> {
  /** The name of the function and of its folder. */
  name: string;
  /** The fields of the record that the function writes about an invalid request. */
  target: TargetFields;
  /** Converts the trigger's events into requests, and the handler's results into responses. */
  trigger: TriggerReader<Request, Result>;
  /** Returns the schema for the body of a request. Absent if the trigger's reader has validated the body already. */
  schema?: (variables: Variables) => SchemaOf<Body>;
  /** Checks the rules that a schema cannot express. Throws InvalidRequest. */
  check?: (body: NoInfer<Body>, invocation: Invocation) => void;
  /** Does the work of the function, for a configured invocation and a valid request. */
  handler: (request: Request & { body: NoInfer<Body> }, invocation: Invocation) => Promise<Result>;
}

/**
 * Composes a function from its parts. Only this file determines their order. For each event, the function does the
 * following:
 *
 * 1. **Start.** Create the invocation with its request id, time limit and records. This step cannot fail.
 * 2. **Read.** Convert the event into a request. If this fails, keep the error until step 4, so step 3 runs in any case.
 * 3. **Configure.** Read the variables and credentials. If this fails, throw the error of step 3, even if step 2 failed,
 *    too: as long as the configuration is invalid, a correct request would also fail. Step 3 comes after step 2, because
 *    step 2 reads the time and policy of the event. The records need both, even if the configuration is invalid.
 * 4. **Validate.** Throw the error of step 2, if any. Otherwise, check the body of the request. The schema can depend on
 *    the variables.
 * 5. **Handle.** Run the handler until the deadline. The time after the deadline is reserved for steps 6 to 9.
 * 6. **Respond.** Convert the handler's result into a response. Event functions have no such conversion.
 * 7. **Error**, if one of the steps 2 to 6 failed: remove secrets from the error, and create the response of an HTTP
 *    function.
 * 8. **Records.** Complete the records, write the record of the run, and deliver all records to the logging topic. This
 *    step comes after step 7, because records must not contain secrets.
 * 9. **Summary**, only for event functions: create the response. It contains the number of targets for each outcome, and
 *    whether the logging topic received the records.
 *
 * Steps 2 to 6 are one function, because the types of middy cannot express that a middleware replaces the event. Steps 7 to
 * 9 are middlewares. The code registers them in reverse order, because middy runs the last registered middleware first.
 *
 * @returns a factory, which takes the runtime (default: Node.js) and returns the function that FunctionGraph calls
 * @example
 * export const verifySnapshots = compose({
 *   name,
 *   target: { action: "verify" },
 *   trigger: timerEvent,
 *   schema: () => lookback,
 *   handler: async ({ body, time }, invocation) => { ... },
 * });
 */
export function compose<Request extends { body: unknown }, Result, Body = Request["body"]>(
  parts: Parts<Request, Result, Body>,
) {
  const { name, target, trigger, schema, check, handler } = parts;
  const run = withDeadline(handler);

  const processEvent = async (event: unknown, base: BaseInvocation): Promise<unknown> => {
    let request: Request | undefined;
    let readError: unknown;
    try {
      request = trigger.read(event, base);
    } catch (thrown) {
      readError = thrown;
    }
    const invocation = configureInvocation(base);
    if (request === undefined) throw readError;
    const body: unknown = request.body;
    if (schema !== undefined) assertValid(schema(invocation.variables), body);
    // If `parts` contains no schema, the type `Body` is the type of the request's body.
    const valid = { ...request, body: body as Body };
    check?.(valid.body, invocation);
    const result = await run(valid, invocation);
    return trigger.respond?.(result, invocation);
  };

  return (runtime: Runtime = nodeRuntime()) => {
    // middy's own timeout is off, because `withDeadline` enforces the deadline.
    const chain = middy<unknown, unknown, Error, BaseInvocation>({ timeoutEarlyInMillis: 0 });
    if (trigger.summary !== undefined) chain.use(trigger.summary);
    chain.use(createRecordMiddleware(target)).use(createErrorMiddleware(trigger.respondToError)).handler(processEvent);
    return (event: unknown, context: unknown): Promise<unknown> =>
      chain(event, startInvocation(name, runtime, event, context));
  };
}

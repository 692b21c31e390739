import middy from "@middy/core";
import type { Variables } from "../functiongraph/variables.ts";
import type { TargetFields } from "../results/record.ts";
import type { SchemaOf } from "../validation/validate.ts";
import { configure } from "./configuration.ts";
import { errors } from "./error-responses.ts";
import type { BaseInvocation, Invocation } from "./invocation.ts";
import { startInvocation } from "./invocation-context.ts";
import { withDeadline } from "./invocation-deadline.ts";
import { results } from "./result-records.ts";
import { nodeRuntime, type Runtime } from "./runtime.ts";
import type { TriggerReader } from "./trigger-reader.ts";
import { assertValid } from "./validation.ts";

/** The parts of a function. */
interface Parts<Request extends { body: unknown }, Result, Body> {
  /** The name of the function, as in its definition. */
  name: string;
  /** What the record of a rejected request contains about the target. */
  target: TargetFields;
  trigger: TriggerReader<Request, Result>;
  /** Returns the schema that the body of a request must match. Absent: the trigger's reader has checked the body. */
  schema?: (variables: Variables) => SchemaOf<Body>;
  /** Checks what a schema cannot express. Throws InvalidRequest. */
  check?: (body: NoInfer<Body>, invocation: Invocation) => void;
  handler: (request: Request & { body: NoInfer<Body> }, invocation: Invocation) => Promise<Result>;
}

/**
 * Composes a function from its parts. This is the only place that knows the order of the middlewares:
 *
 * 1. **Context.** Everything after it needs the invocation, and it cannot fail.
 * 2. **Summary** (event functions only). It encloses the records, because it contains their counts and whether the logging
 *    topic received them.
 * 3. **Records.** It encloses everything that can fail, so every invocation ends with the record of its run. It is outside of
 *    the errors, because the records contain the error without secrets.
 * 4. **Errors.** It encloses everything that can fail. It removes the secrets from the error, then makes the HTTP response.
 * 5. **Reader** of the trigger. It comes before the configuration, because the records of a function that is not configured
 *    contain the policy and the time of the event. Its error comes after the error of the configuration, because a caller
 *    cannot correct the configuration.
 * 6. **Configuration.** Only a configured function may validate, because the schema depends on the variables.
 * 7. **Validation.** It encloses the handler, so no invalid request reaches the cloud.
 * 8. **Deadline.** It encloses the handler alone. The time after the deadline is for the records and the response.
 * 9. **Handler**, then the response of the trigger's reader.
 *
 * Steps 5 to 9 are one function, because middy's types cannot express that a middleware replaces the event: there the compiler
 * checks the types from the event to the argument of the handler.
 *
 * @returns a factory. It takes the runtime (default: Node.js) and returns the function that the platform calls.
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

  const readToRespond = async (event: unknown, base: BaseInvocation): Promise<unknown> => {
    let request: Request | undefined;
    let unreadable: unknown;
    try {
      request = trigger.read(event, base);
    } catch (thrown) {
      unreadable = thrown;
    }
    const invocation = configure(base);
    if (request === undefined) throw unreadable;
    const body: unknown = request.body;
    if (schema !== undefined) assertValid(schema(invocation.variables), body);
    // Without a schema, Body is the type of the request's body.
    const valid = { ...request, body: body as Body };
    check?.(valid.body, invocation);
    const result = await run(valid, invocation);
    return trigger.respond?.(result, invocation);
  };

  return (runtime: Runtime = nodeRuntime()) => {
    // The platform's deadline is the business of withDeadline.
    const chain = middy<unknown, unknown, Error, BaseInvocation>({ timeoutEarlyInMillis: 0 });
    if (trigger.summary !== undefined) chain.use(trigger.summary);
    chain.use(results(target)).use(errors(trigger.respondToError)).handler(readToRespond);
    return (event: unknown, context: unknown): Promise<unknown> =>
      chain(event, startInvocation(name, runtime, event, context));
  };
}

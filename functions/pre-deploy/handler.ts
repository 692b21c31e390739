import middy from "@middy/core";
import { errors } from "../../shared/middleware/error-responses.ts";
import { httpCall } from "../../shared/middleware/http-request.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { deployment } from "./schema.generated.js";
import { takeDeployment } from "./take-deployment.ts";

/** A call before a deployment: every target, and whether the deployment may go on. */
export const preDeploy = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("pre-deploy", runtime))
    .use(results({ action: "create" }))
    .use(errors())
    .use(httpCall())
    .use(validation(() => deployment))
    .handler(withDeadline(takeDeployment));

export const handler = preDeploy();

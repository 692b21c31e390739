import { compose } from "../../shared/middleware/compose.ts";
import { httpRequest } from "../../shared/middleware/http-request.ts";
import { name } from "./function.ts";
import { checkDeployment, protectDeployment } from "./protect-deployment.ts";
import { deployment } from "./schema.generated.js";

/** Creates the snapshots for a deployment, and says whether the deployment may begin. */
export const preDeploy = compose({
  name,
  target: { action: "create" },
  trigger: httpRequest,
  schema: () => deployment,
  check: checkDeployment,
  handler: protectDeployment,
});

export const handler = preDeploy();

/**
 * Builds two bundles that the bench compares with the functions. One bundle creates a snapshot with the SDK. The other bundle
 * validates a request with middy.
 */
import { join } from "node:path";
import { build } from "esbuild";
import { BUILD_OPTIONS } from "./process.ts";

/** The source of a handler that uses the SDK as documented, with the SDK's client builder, axios and log4js. */
const SDK = `
import { BasicCredentials } from "@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials";
import { ClientBuilder } from "@huaweicloud/huaweicloud-sdk-core/ClientBuilder";
const build = (hc) => hc;
export const handler = async (event, context) => {
  const credential = new BasicCredentials()
    .withAk(context.getSecurityAccessKey())
    .withSk(context.getSecuritySecretKey())
    .withSecurityToken(context.getSecurityToken())
    .withProjectId(context.getProjectID());
  const client = new ClientBuilder(build).withCredential(credential).withEndpoint(context.getUserData("EVS_ENDPOINT")).build();
  return client.sendRequest({
    method: "POST",
    url: "/v2/{project_id}/cloudsnapshots",
    contentType: "application/json",
    queryParams: {},
    pathParams: {},
    headers: {},
    data: JSON.parse(Buffer.from(event.body, "base64").toString()),
  });
};`;

/** The source of a handler that uses middy. It compiles its JSON schema when it is loaded, and sends no request. */
const MIDDY = `
import middy from "@middy/core";
import Ajv from "ajv";
import { current } from "./functions/create-snapshot/schema.generated.js";
const ajv = new Ajv({ allErrors: true, strict: false });
const validate = ajv.compile(current);
export const handler = middy().use({
  before: (request) => {
    const body = JSON.parse(Buffer.from(request.event.body, "base64").toString());
    if (!validate(body)) throw new Error("invalid");
  },
}).handler(async () => ({ statusCode: 200 }));`;

export async function buildBaselines(root: string, folder: string): Promise<{ sdk: string; middy: string }> {
  const bundle = async (name: string, contents: string) => {
    const outfile = join(folder, `${name}.js`);
    await build({
      stdin: { contents, resolveDir: root, loader: "ts" },
      outfile,
      ...BUILD_OPTIONS,
      // The SDK requires uuid but does not declare it (SOURCES.md#sdk-undeclared-uuid). uuid.cjs replaces it with a function of
      // Node.js.
      alias: { uuid: join(import.meta.dirname, "uuid.cjs") },
      logLevel: "error",
    });
    return outfile;
  };
  return { sdk: await bundle("sdk", SDK), middy: await bundle("middy", MIDDY) };
}

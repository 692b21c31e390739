/**
 * Sends the requests that it reads from standard input with the official Node.js clients, and prints one line per request.
 * Arguments: the folder in which the clients are installed, the endpoint and the project id. `../protocol.ts` defines the lines of
 * standard input and standard output.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

const [, , folder, endpoint, projectId] = process.argv;
const require = createRequire(join(folder, "package.json"));
const core = (path) => require(`@huaweicloud/huaweicloud-sdk-core/${path}`);
const { BasicCredentials } = core("auth/BasicCredentials");
const { ClientBuilder } = core("ClientBuilder");
// The SDK prints every error response together with the credentials of the request.
core("logger/log4jLogger").Logger4jInstance.level = "off";

/** Returns the package of a service, or undefined if the package is not installed. */
function packageOf(service) {
  try {
    return require(`@huaweicloud/huaweicloud-sdk-${service}`);
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

const clientClass = (service) => packageOf(service)?.[`${service[0].toUpperCase()}${service.slice(1)}Client`];
const methodName = (operation) => operation[0].toLowerCase() + operation.slice(1);

async function send({ service, operation, request, credentials }) {
  const Client = clientClass(service);
  if (!Client?.prototype[methodName(operation)]) return { unsupported: true };
  const { ak, sk, securityToken } = credentials;
  const basic = new BasicCredentials().withAk(ak).withSk(sk).withSecurityToken(securityToken).withProjectId(projectId);
  const client = new ClientBuilder((hc) => new Client(hc)).withCredential(basic).withEndpoint(endpoint).build();
  try {
    const sent = Object.assign(new (packageOf(service)[`${operation}Request`])(), request);
    const { httpStatusCode, ...body } = await client[methodName(operation)](sent);
    return { status: httpStatusCode, body: Object.keys(body).length > 0 ? JSON.stringify(body) : "" };
  } catch (error) {
    if (error.httpStatusCode) return { status: error.httpStatusCode, code: error.errorCode };
    return { error: `${error.constructor.name}: ${error.errorMsg ?? error.message}` };
  }
}

/**
 * Returns the fields of a model: their names on the wire from the code, their types from the declarations. The constructor
 * assigns the required fields.
 */
function fieldsOf(service, name, models) {
  const file = join(dirname(require.resolve(`@huaweicloud/huaweicloud-sdk-${service}`)), "v2", "model", name);
  const declarations = readFileSync(`${file}.d.ts`, "utf8").replace(/\s+/g, " ");
  const code = readFileSync(`${file}.js`, "utf8");
  const [initializer = ""] = /^ {4}constructor\(.*?^ {4}\}/ms.exec(code) ?? [];
  const setters = code.matchAll(/^ {4}(with\w+)\(\w+\) \{\s*this\['([^']+)'\] = /gm);
  const fields = [...setters].map(([, method, wire]) => {
    const [, type] = new RegExp(` ${method}\\(\\w+: (.*?)\\): ${name};`).exec(declarations);
    return [wire, normalType(service, type, models) + (initializer.includes(`this['${wire}'] = `) ? "!" : "")];
  });
  return Object.fromEntries(fields);
}

/** Returns a type in the notation of `models.json`, and adds the models that the type uses. */
function normalType(service, type, models) {
  const [, array] = /^Array<(.*)>$/.exec(type) ?? [];
  if (array) return `[${normalType(service, array, models)}]`;
  const [, map] = /^\{ \[key: string\]: (.*); \}$/.exec(type) ?? [];
  if (map) return `{${normalType(service, map, models)}}`;
  const [, base] = /^\w+Enum \| (string|number)$/.exec(type) ?? [];
  if (base) return base;
  if (type === "Date") return "string";
  if (type === "object" || type === "any") return "any";
  if (["string", "number", "boolean"].includes(type)) return type;
  const name = `${service}.${type}`;
  if (!(name in models)) {
    models[name] = {};
    models[name] = fieldsOf(service, type, models);
  }
  return name;
}

/** Returns the type of the response of each operation, and all models of these responses. */
function describe(list) {
  const models = {};
  const supported = list.filter(([service, name]) => clientClass(service)?.prototype[methodName(name)]);
  const operations = supported.map(([service, name]) => [
    `${service}.${name}`,
    { response: normalType(service, `${name}Response`, models) },
  ]);
  return { operations: Object.fromEntries(operations), models };
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  console.log(JSON.stringify("describe" in message ? describe(message.describe) : await send(message)));
}

/** Checks the API gateway's APIs in a planned deployment. */
import type { Plan } from "./plan.ts";
import { definitionOf, different, isHttp, urnOf, type Wanted } from "./wanted.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

export function gatewayFaults(plan: Plan, wanted: Wanted): string[] {
  const of = (type: string) => plan.resources.filter((one) => one.type === `huaweicloud_apig_${type}`);
  const apis = of("api");
  const published = of("api_publishment");
  const http = wanted.functions.filter((name) => isHttp(name, wanted));
  const authorized = of("application_authorization").flatMap(({ values }) => values.api_ids);
  const restricted = of("acl_policy_associate").flatMap(({ values }) => values.publish_ids);
  const isRestricted = of("acl_policy").every(
    ({ values: { type, entity_type } }) => type === "PERMIT" && entity_type === "DOMAIN_ID",
  );
  return [
    ...different(
      "APIs",
      apis.map(({ values }) => values.func_graph?.[0]?.function_urn),
      http.map(urnOf),
    ),
    ...(isRestricted ? [] : ["the access policy of the APIs permits other accounts"]),
    ...apis.flatMap(({ address, key, values }) => {
      const { security_authentication, func_graph = [{}], request_method, request_protocol, request_path } = values;
      const publishment = published.find(({ values: { api_id } }) => api_id === `<${address}.id>`);
      const hasCallers =
        security_authentication === "APP"
          ? authorized.includes(`<${address}.id>`)
          : security_authentication === "IAM" &&
            publishment !== undefined &&
            restricted.includes(`<${publishment.address}.publish_id>`);
      return [
        ...(["APP", "IAM"].includes(security_authentication) ? [] : [`${address}: anybody can call it`]),
        ...(hasCallers ? [] : [`${address}: no caller is authorized`]),
        // An API with the authentication APP must accept app codes, because the gate client sends them (infra/ci/call.ts).
        ...((values.simple_authentication === true) === (security_authentication === "APP")
          ? []
          : [`${address}: it rejects app codes`]),
        ...different(
          `${address}: request_params`,
          values.request_params.map(describeParameter),
          parametersOf(String(key)),
        ),
        ...(publishment === undefined ? [`${address} is not published`] : []),
        ...(func_graph[0].timeout === 60_000
          ? []
          : [`${address}: the gateway waits ${func_graph[0].timeout} ms, not 60000`]),
        ...(func_graph[0].invocation_type === "sync" ? [] : [`${address} does not wait for the response`]),
        ...(request_method === methodOf(String(key)) && request_protocol === "HTTPS" && request_path === `/${key}`
          ? []
          : [`${address}: expected ${methodOf(String(key))} https://.../${key}`]),
      ];
    }),
  ];
}

const methodOf = (name: string) => {
  const trigger = definitionOf(name)?.trigger;
  return trigger?.type === "http" ? trigger.method : "no API";
};

/** Returns the header or the query parameters that the gateway must pass on to a function. */
function parametersOf(name: string): string[] {
  const parameters = definitionOf(name)?.operation?.parameters;
  const names =
    parameters === undefined ? ["HEADER Idempotency-Key"] : Object.keys(parameters).map((one) => `QUERY ${one}`);
  return names.map((one) => `optional ${one}, passed on`);
}

const describeParameter = ({ name, location, required, passthrough }: Any): string =>
  `${required ? "required" : "optional"} ${location} ${name}, ${passthrough ? "passed on" : "dropped"}`;

/** Checks the API gateway's APIs in a planned deployment. */
import type { Plan } from "./plan.ts";
import { different, isHttp, urnOf, type Wanted } from "./wanted.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

export function gatewayFaults(plan: Plan, { functions }: Wanted): string[] {
  const of = (type: string) => plan.resources.filter((one) => one.type === `huaweicloud_apig_${type}`);
  const apis = of("api");
  const published = of("api_publishment");
  const http = functions.filter(isHttp);
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
        ...(values.request_params?.some(
          ({ name, location, required, passthrough }: Any) =>
            name === "Idempotency-Key" && location === "HEADER" && required === false && passthrough === true,
        )
          ? []
          : [`${address}: it may lose the Idempotency-Key, or require one`]),
        ...(publishment === undefined ? [`${address} is not published`] : []),
        ...(func_graph[0].timeout === 60_000
          ? []
          : [`${address}: the gateway waits ${func_graph[0].timeout} ms, not 60000`]),
        ...(func_graph[0].invocation_type === "sync" ? [] : [`${address} does not wait for the response`]),
        ...(request_method === "POST" && request_protocol === "HTTPS" && request_path === `/${key}`
          ? []
          : [`${address}: expected POST https://.../${key}`]),
      ];
    }),
  ];
}

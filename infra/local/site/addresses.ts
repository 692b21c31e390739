import type { Screen } from "../terminal/screen.ts";
import { type LocalSite, userDataFor } from "./local-site.ts";

/** Returns environment variables that make `npm run invoke -- … --real` call this embedded cloud, including access keys. */
export function environmentOf(cloud: LocalSite["cloud"]): Record<string, string> {
  const { ak, sk, securityToken = "" } = cloud.credentials;
  const keys = { HUAWEICLOUD_SDK_AK: ak, HUAWEICLOUD_SDK_SK: sk, HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken };
  return { ...userDataFor(cloud), ...keys };
}

/**
 * The query string of the coverage page, which shows which resources have a good snapshot. With this query, each coverage state
 * occurs in the sample data; `exclude_tags` leads to the state `excluded`.
 */
export const COVERAGE_QUERY = "format=html&exclude_tags=backup%3Dnone";

/**
 * Prints the addresses of the local site, and commands that a user can copy into a second terminal.
 *
 * @param envFile the path of the file with the variables of `environmentOf`
 * @param verbose true to also print the id and the tags of every resource
 */
export function printAddresses(
  { cloud, gateway, inventory }: LocalSite,
  { line, style }: Pick<Screen, "line" | "style">,
  envFile: string,
  verbose = false,
) {
  const create = { snapshot: { volume_id: inventory.webData, force: true } };
  const deployment = {
    deployment_id: "mine-1",
    targets: [{ kind: "snapshot", tags: { backup: "daily" } }],
  };
  const entry = (name: string, text: string) => line(`  ${style.bold(name.padEnd(9))} ${text}`);
  line();
  line(style.bold("The embedded cloud and the functions keep running until Ctrl-C."));
  entry("gateway", `${gateway.url}  POST /<function>, no credentials`);
  entry("report", `${gateway.url}/report-coverage?${COVERAGE_QUERY}`);
  entry("cloud", `${cloud.url}  EVS, DWS, ECS, LTS and FunctionGraph`);
  entry("env file", `${envFile}  deleted at the end`);
  if (verbose) for (const text of describeResources(inventory)) line(style.dim(text));
  line();
  line(style.bold("Try this in a second terminal:"));
  const command = (first: string, second: string) => {
    line(`  ${first} \\`);
    line(`    ${second}`);
  };
  command(`curl -i ${gateway.url}/create-snapshot -H 'idempotency-key: mine-1'`, `-d '${JSON.stringify(create)}'`);
  command(`curl -i ${gateway.url}/pre-deploy`, `-d '${JSON.stringify(deployment)}'`);
  command(
    `curl ${cloud.url}/v2/${cloud.projectId}/cloudsnapshots/detail`,
    `-H 'x-auth-token: ${cloud.credentials.token}'`,
  );
  for (const name of ["verify-snapshots", "prune-snapshots"]) {
    command(`npm run invoke -- ${name} test/events/${name}.json`, `--real --env-file ${envFile}`);
  }
  line();
}

function describeResources({ resources }: LocalSite["inventory"]): string[] {
  return resources.map(({ type, name, id, attachedTo, tags }) => {
    const labels = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    const place = type === "disk" ? (attachedTo === "-" ? "not attached" : `on ${attachedTo}`) : "";
    return `  ${type.padEnd(7)} ${name.padEnd(17)} ${id}  ${place.padEnd(13)}  ${labels.join(" ")}`.trimEnd();
  });
}

import type { Screen } from "../terminal/screen.ts";
import { COVERAGE_QUERY } from "./coverage-estate.ts";
import { type LocalSite, userDataFor } from "./local-site.ts";

/** Returns environment variables that make `npm run invoke -- … --real` call this embedded cloud, including access keys. */
export function environmentOf(cloud: LocalSite["cloud"]): Record<string, string> {
  const { ak, sk, securityToken = "" } = cloud.credentials;
  const keys = { HUAWEICLOUD_SDK_AK: ak, HUAWEICLOUD_SDK_SK: sk, HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken };
  return { ...userDataFor(cloud), ...keys };
}

/** Prints everything that a user needs to call the embedded cloud manually: addresses, keys, ids, tags, sample commands. */
export function printAddresses(
  { cloud, gateway, inventory }: LocalSite,
  { line, style }: Pick<Screen, "line" | "style">,
) {
  const { ak, sk, securityToken, token } = cloud.credentials;
  const create = { snapshot: { volume_id: inventory.webData, name: "tried-by-hand", force: true } };
  const deployment = {
    deployment_id: "mine-1",
    targets: [{ kind: "snapshot", tags: { backup: "daily" } }],
    wait_seconds: 50,
  };
  const entry = (name: string, text: string) => line(`${style.bold(name.padEnd(8))} ${text}`);
  line();
  entry("cloud", `${cloud.url}  EVS, DWS, ECS, LTS and FunctionGraph; project ${cloud.projectId}`);
  // These keys are not secret, because only this embedded cloud accepts them.
  entry("keys", `access key ${ak}, secret key ${sk}, security token ${securityToken}; or use the token ${token}`);
  entry("gateway", `${gateway.url}  ${gateway.routes.map((route) => `/${route}`).join(" ")}`);
  for (const { type, name, id, attachedTo, tags } of inventory.resources) {
    const labels = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    const place = type === "disk" ? (attachedTo === "-" ? "not attached" : `on ${attachedTo}`) : "";
    line(
      style.dim(
        `         ${type.padEnd(7)} ${name.padEnd(17)} ${id}  ${place.padEnd(13)}  ${labels.join(" ")}`.trimEnd(),
      ),
    );
  }
  entry(
    "report",
    `${gateway.url}/report-coverage?format=html&${COVERAGE_QUERY}  shows which disks have a good snapshot`,
  );
  entry("try", `curl -i ${gateway.url}/create-snapshot -H 'idempotency-key: mine-1' -d '${JSON.stringify(create)}'`);
  entry("", `curl -i ${gateway.url}/pre-deploy -d '${JSON.stringify(deployment)}'`);
  entry("", `curl ${cloud.url}/v2/${cloud.projectId}/cloudsnapshots/detail -H 'x-auth-token: ${token}'`);
  entry(
    "",
    `export ${Object.entries(environmentOf(cloud))
      .map(([name, value]) => `${name}=${value}`)
      .join(" ")}`,
  );
  for (const name of ["verify-snapshots", "prune-snapshots"]) {
    entry("", `npm run invoke -- ${name} test/events/${name}.json --real`);
  }
  entry("stop", "Ctrl-C");
  line();
}

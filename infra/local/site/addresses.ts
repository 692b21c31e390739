import type { Screen } from "../terminal/screen.ts";
import { type LocalSite, userDataFor } from "./site.ts";

/** Returns the environment variables, including the keys, with which `npm run invoke -- … --real` uses this cloud. */
export function environmentOf(cloud: LocalSite["cloud"]): Record<string, string> {
  const { ak, sk, securityToken = "" } = cloud.credentials;
  const keys = { HUAWEICLOUD_SDK_AK: ak, HUAWEICLOUD_SDK_SK: sk, HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken };
  return { ...userDataFor(cloud), ...keys };
}

/** What it takes to call by hand what stays up: addresses, keys, ids and tags, and commands to begin with. */
export function describeAddresses(
  { cloud, gateway, estate }: LocalSite,
  { line, style }: Pick<Screen, "line" | "style">,
) {
  const { ak, sk, securityToken, token } = cloud.credentials;
  const create = { snapshot: { volume_id: estate.webData, name: "tried-by-hand", force: true } };
  const gate = {
    deployment_id: "mine-1",
    targets: [{ kind: "snapshot", tags: { backup: "daily" } }],
    wait_seconds: 50,
  };
  const entry = (name: string, text: string) => line(`${style.bold(name.padEnd(8))} ${text}`);
  line();
  entry("cloud", `${cloud.url}  EVS, DWS, ECS, LTS and FunctionGraph; project ${cloud.projectId}`);
  // Made up, and good for nothing but this cloud.
  entry("keys", `access key ${ak}, secret key ${sk}, security token ${securityToken}; or the token ${token}`);
  entry("gateway", `${gateway.url}  ${gateway.routes.map((route) => `/${route}`).join(" ")}`);
  for (const { what, name, id, attachedTo, tags } of estate.lines) {
    const labels = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    const at = what === "disk" ? (attachedTo === "-" ? "not attached" : `on ${attachedTo}`) : "";
    line(
      style.dim(`         ${what.padEnd(7)} ${name.padEnd(17)} ${id}  ${at.padEnd(13)}  ${labels.join(" ")}`.trimEnd()),
    );
  }
  entry("try", `curl -i ${gateway.url}/create-snapshot -H 'idempotency-key: mine-1' -d '${JSON.stringify(create)}'`);
  entry("", `curl -i ${gateway.url}/pre-deploy -d '${JSON.stringify(gate)}'`);
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

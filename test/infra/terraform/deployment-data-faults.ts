/** Checks the variables that tell functions which policies are deployed, and which policies callers can use. */
import { canonicalJson } from "../../../shared/core/json.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import type { Planned } from "./plan.ts";
import { different, isCreator, type Wanted } from "./wanted.ts";

/** The names of the functions that read each variable. */
const READERS: Record<string, string[]> = {
  DEPLOYED_POLICIES: ["prune-snapshots", "report-coverage", "verify-snapshots"],
  PRE_DEPLOY_POLICIES: ["pre-deploy", "prune-snapshots"],
};

/** Returns every mistake in the variables DEPLOYED_POLICIES and PRE_DEPLOY_POLICIES of the planned functions. */
export function deploymentDataFaults(functions: Planned[], wanted: Wanted): string[] {
  const expected: Record<string, string> = {
    DEPLOYED_POLICIES: canonicalJson(deployedPolicies(wanted)),
    PRE_DEPLOY_POLICIES: [...new Set(["pre-deploy", ...wanted.gate.policies])].join(),
  };
  return functions.flatMap(({ address, values: { name, user_data } }) => {
    const variables: Record<string, string> = JSON.parse(user_data);
    if (variables.DEPLOYED_POLICIES !== undefined)
      variables.DEPLOYED_POLICIES = canonicalJson(JSON.parse(variables.DEPLOYED_POLICIES));
    const lines = (from: Record<string, string>) =>
      Object.entries(from)
        .filter(([variable]) => READERS[variable]?.includes(name))
        .map(([variable, value]) => `${variable}=${value}`);
    const superfluous = Object.keys(READERS).filter((one) => one in variables && !READERS[one]?.includes(name));
    return [
      ...different(`${address}.user_data`, lines(variables), lines(expected)),
      ...superfluous.map((one) => `${address}.user_data: the function does not read ${one}`),
    ];
  });
}

function deployedPolicies({ functions, policies, diskAttachedKind, gate }: Wanted): object {
  const kindsOf = (name: string): string[] => [
    ...Object.keys(KINDS).filter((kind) => functions.includes(name) && name === `create-${kind}`),
    ...(functions.includes(name) && name === "disk-attached" ? [diskAttachedKind] : []),
    ...(functions.includes(name) && name === "pre-deploy" ? gate.kinds : []),
    ...(policies[name]?.targets ?? []).map(({ kind }: { kind: string }) => kind),
  ];
  const names = [...functions.filter(isCreator), ...Object.keys(policies)];
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => {
      const { schedule, time_zone = "UTC", dry_run = false } = policies[name] ?? {};
      const runs = {
        schedule: `CRON_TZ=${time_zone} ${schedule}`,
        since: `<terraform_data.schedule["${name}"].output>`,
      };
      const kinds = [...new Set(kindsOf(name))].sort();
      return [name, { kinds, ...(schedule !== undefined && !dry_run ? runs : {}) }];
    }),
  );
}

import { isObject } from "../../../shared/core/json.ts";

/** For each field that only a Terraform policy has, returns what the user of `npm run simulate` does instead. */
const TERRAFORM_FIELDS = new Map<string, (value: unknown) => string>([
  ["schedule", () => "Pass the hours between two snapshots: --every 24."],
  [
    "prune_schedule",
    (value) => `Pass its value: --prune-every "${typeof value === "string" ? value : "<prune_schedule>"}".`,
  ],
  ["every_hours", () => "Only an alarm uses it."],
  ["prune_every_hours", () => "Only an alarm uses it."],
]);

/**
 * Replaces the faults that are due to a policy from Terraform's variable `policies` by instructions. Such a policy has no name,
 * and has the fields in `TERRAFORM_FIELDS`.
 *
 * @param faults the faults of `policy`, from `validate`
 */
export function explainTerraformFields(policy: unknown, faults: readonly string[]): string[] {
  if (!isObject(policy) || ![...TERRAFORM_FIELDS.keys()].some((name) => name in policy)) return [...faults];
  return faults.map((fault) => {
    const [, name = "", problem] = /^(\w+): (unknown field|required)/.exec(fault) ?? [];
    if (name === "policy" && problem === "required") {
      return `${fault} In Terraform, the key of the policy is its name. Add the name: "policy": "<name>".`;
    }
    const instead = problem === "unknown field" ? TERRAFORM_FIELDS.get(name) : undefined;
    return instead === undefined
      ? fault
      : `${name}: a field of Terraform, not of a policy. Remove it. ${instead(policy[name])}`;
  });
}

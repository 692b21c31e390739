/** Plans copies of infra/terraform in which one argument is misspelled or one block is missing. */
import { describe, expect, test } from "vitest";
import { original } from "./broken-copies.ts";
import { EVERYTHING, findFaults } from "./everything.ts";
import type { Sources } from "./plan.ts";

describe("a broken copy of the Terraform module", () => {
  const ALTERNATIVE = {
    ...EVERYTHING,
    disk_attached_kind: "standard-snapshot",
    gateway: { ...EVERYTHING.gateway, authentication: "IAM", publish_with_iam: true, make_room: false },
    policies: { nightly: { ...EVERYTHING.policies.nightly, make_room: false } },
  };
  const isReported = async (copy: Sources) =>
    (await findFaults(copy)).length > 0 || (await findFaults(copy, ALTERNATIVE)).length > 0;

  /** The argument and variable names in the module, with their positions. Excludes timer and alarm names, which are free text. */
  const assignments = Object.entries(original).flatMap(([file, text]) => {
    const found = [...text.matchAll(/^( *)("?[\w.${}-]+"?)( +)=(?= )/gm)];
    return found
      .filter(([, , name = ""]) => !name.includes("local.prefix") && name !== "verify")
      .map((match) => ({ file, name: match[2] ?? "", index: match.index + (match[1]?.length ?? 0) }));
  });

  // The long timeout allows for hundreds of plans on a busy machine.
  test("the checks of the Terraform module report an error if the name of any argument or variable is misspelled", {
    timeout: 180_000,
  }, async () => {
    expect(assignments.length).toBeGreaterThan(150);
    const unreported: string[] = [];
    for (const { file, name, index } of assignments) {
      const text = original[file] ?? "";
      const wrong = name.endsWith('"') ? `${name.slice(0, -1)}_x"` : `${name}_x`;
      const copy = { ...original, [file]: `${text.slice(0, index)}${wrong}${text.slice(index + name.length)}` };
      if (!(await isReported(copy))) unreported.push(`${file}: ${name}`);
    }
    expect(unreported).toEqual([]);
  });

  test("the checks of the Terraform module report an error if any resource, data, provider or variable block is missing", async () => {
    const unreported: string[] = [];
    for (const [file, text] of Object.entries(original)) {
      for (const { 0: block, index } of text.matchAll(/^(resource|data|provider|variable) [^\n]*\{\n[\s\S]*?^\}\n/gm)) {
        const copy = { ...original, [file]: `${text.slice(0, index)}${text.slice(index + block.length)}` };
        if (!(await isReported(copy))) unreported.push(`${file}: ${block.split("\n")[0]}`);
      }
    }
    expect(unreported).toEqual([]);
  });
});

/** Installs Cloud Custodian for Huawei Cloud in `node_modules/.cache/custodian`, and runs its snapshot policy. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { installPythonPackages } from "../support/python-packages.ts";
import { ROOT } from "./process.ts";

const CACHE = join(ROOT, "node_modules", ".cache", "custodian");
const PYTHON = join(CACHE, "python", "bin", "python");
const REQUIREMENTS = join(import.meta.dirname, "custodian.txt");
const CREDENTIALS = { ak: "CUSTODIANACCESSKEY01", sk: "custodian-secret-key-not-a-real-one" };

/** The policy of Custodian. It selects the same disks as the policy of scheduled-snapshots. */
const POLICY = {
  policies: [
    {
      name: "nightly-disks",
      resource: "huaweicloud.evs-volume",
      filters: [{ "tag:backup": "daily" }],
      actions: [{ type: "snapshot", description: "nightly" }],
    },
  ],
};

/** Returns the versions of Python and of the two packages of Custodian, which must be installed. */
export function custodianVersions(): Record<string, string> {
  const pins = readFileSync(REQUIREMENTS, "utf8").matchAll(/^(c7n\w*)==(\S+)$/gm);
  const [, python = ""] = execFileSync(PYTHON, ["--version"], { encoding: "utf8" }).trim().split(" ");
  return { Python: python, ...Object.fromEntries([...pins].map(([, name = "", version = ""]) => [name, version])) };
}

/**
 * Installs Custodian unless this version is already installed.
 *
 * @throws Error if Python is missing or too old
 */
export const installCustodian = (): void =>
  installPythonPackages(join(CACHE, "python"), REQUIREMENTS, "npm run bench -- --peer");

/** Returns the command that runs the policy of Custodian against a cloud, and its environment variables. */
export function custodianCommand(cloud: EmbeddedCloud) {
  cloud.addCredentials(CREDENTIALS);
  const folder = mkdtempSync(join(tmpdir(), "custodian-"));
  const policy = join(folder, "policy.json");
  writeFileSync(policy, JSON.stringify(POLICY));
  // A cache period of 0 makes each run list the disks again, as the function does.
  const args = ["run", "--cache-period", "0", "--output-dir", join(folder, "output"), policy];
  return {
    program: PYTHON,
    args: [join(import.meta.dirname, "custodian.py"), ...args],
    env: {
      PATH: process.env.PATH ?? "",
      // The SDK writes a file into the folder `.huaweicloud` of the home folder.
      HOME: CACHE,
      NO_PROXY: "127.0.0.1",
      HUAWEI_DEFAULT_REGION: cloud.region,
      HUAWEI_ACCESS_KEY_ID: CREDENTIALS.ak,
      HUAWEI_SECRET_ACCESS_KEY: CREDENTIALS.sk,
      HUAWEI_PROJECT_ID: cloud.projectId,
      [`HUAWEICLOUD_SDK_REGION_EVS_${cloud.region.replaceAll("-", "_").toUpperCase()}`]: cloud.url,
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

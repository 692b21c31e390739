/** Builds the official Huawei Cloud provider from its Go module, and configures Terraform to use the result. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const CACHE = join(ROOT, "node_modules", ".cache", "terraform");
const MODULE = "github.com/huaweicloud/terraform-provider-huaweicloud";
const ADDRESS = "registry.terraform.io/huaweicloud/huaweicloud";

/** The version of the provider that the build uses. */
export const VERSION = "1.96.1";
/** The checksum of the Go module in this version, as in `go.sum`. */
export const CHECKSUM = "h1:sW1nqjpaO9TyPlHnGofiq8iSrJLDILVdejRx/HoUTZ0=";

/** A provider that Terraform can use without a network. */
export interface BuiltProvider {
  version: string;
  /** The checksum of the Go module, as in `go.sum`. */
  checksum: string;
  /** The path of a Terraform CLI configuration that installs only this provider. */
  configuration: string;
}

/** Builds the provider, unless an earlier call has built this version. The first build takes 15 minutes or more. */
export function buildProvider(): BuiltProvider {
  const mirror = join(CACHE, "mirror");
  const folder = join(mirror, ADDRESS, VERSION, platform());
  const program = join(folder, `terraform-provider-huaweicloud_v${VERSION}`);
  const { Dir: source, Sum: checksum } = JSON.parse(go(["mod", "download", "-json", `${MODULE}@v${VERSION}`]));
  if (checksum !== CHECKSUM)
    throw new Error(`${MODULE} ${VERSION}: expected the checksum in CHECKSUM, ${CHECKSUM}, got ${checksum}.`);
  if (!existsSync(program)) {
    console.error(`test:terraform: builds the provider ${VERSION}. This takes 15 minutes or more, and only once.`);
    mkdirSync(folder, { recursive: true });
    // An interrupted build must not leave a program that later calls use.
    const unfinished = join(CACHE, "unfinished");
    go(["build", "-trimpath", "-ldflags=-s -w", "-o", unfinished, "."], source);
    renameSync(unfinished, program);
  }
  const configuration = join(CACHE, "terraform.rc");
  writeFileSync(
    configuration,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  return { version: VERSION, checksum, configuration };
}

/** Returns Terraform's name of this platform, such as `linux_amd64`. */
const platform = (): string => go(["env", "GOOS", "GOARCH"]).trim().split("\n").join("_");

function go(args: string[], cwd = ROOT): string {
  return execFileSync("go", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

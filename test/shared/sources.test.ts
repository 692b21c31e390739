import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Every file of the repository, by its path from the root, except generated ones. */
const FILES = [".", "functions", "infra", "shared", "test"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: folder !== ".", withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((path) => !/(^|\/)(dist|\.terraform)\/|\.log$|^package-lock\.json$|\/sources\.test\.ts$/.test(path))
  .sort();

const page = read("shared/SOURCES.md");
const LINKS = new Map([...page.matchAll(/^\[([^\]]+)\]: (\S+)$/gm)].map(([, id = "", url = ""]) => [id, url]));
const linksOf = (text: string) => [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, id = ""]) => id);
/** Name -> text on one line. */
const ENTRIES = new Map(
  page
    .replace(/^\[[^\]]+\]: .*/gm, "")
    .split(/^(?=#)/m)
    .filter((section) => section.startsWith("### "))
    .map((section) => section.slice(4).trim().split("\n"))
    .map(([name = "", ...lines]) => [name, lines.join(" ").replace(/\s+/g, " ")]),
);

describe("shared/SOURCES.md", () => {
  test("every entry has a name of its own, a fact, a source with a link and a status", () => {
    const wellFormed = /^ \S.*\. \*\*(Confirmed\*\*.*|Unconfirmed\*\*\. \S.*)\. Source: \[.*\]\.$/;
    /^ \S.*\. - Source: \[.* - Status: (confirmed|unconfirmed\. .+|confirmed by an experiment: .+)\.$/;
    const faulty = [...ENTRIES].filter(([name, text]) => !/^[a-z0-9-]+$/.test(name) || !wellFormed.test(text));
    expect(faulty).toEqual([]);
    expect(ENTRIES.size).toBe(page.match(/^### /gm)?.length);
  });

  test("every link leads to a public page, and the entries use every link", () => {
    const used = new Set([...ENTRIES.values()].flatMap(linksOf));
    expect([...LINKS.keys()].sort()).toEqual([...used].sort());
    expect([...LINKS.values()].filter((url) => !url.startsWith("https://"))).toEqual([]);
  });

  test("every citation of an entry, anywhere in the repository, names one that exists", () => {
    const broken = FILES.flatMap((path) =>
      [...read(path).matchAll(/SOURCES\.md#([\w-]+)/g)]
        .filter(([, name = ""]) => !ENTRIES.has(name))
        .map(([citation]) => `${path}: ${citation}`),
    );
    expect(broken).toEqual([]);
  });
});

/** Documents that are not in the repository, and abbreviations of documents that no reader can look up. */
const OUTSIDE = new RegExp(
  String.raw`(?<![A-Za-z])(cloud-apis|peers-and-models|(functiongraph|terraform|DESIGN|STYLE|CONTRACT|FAULTS)\.md|` +
    String.raw`[Ss]eeds? (00\d|\$seed)|the seeds|(the|The|its) seed's|DESIGN|OTC|HWC)(?![A-Za-z])`,
);

/** The files that still cite such a document. This list may only become shorter. */
const CITING_OUTSIDE: string[] = [
  "functions/create-cluster-snapshot/schema.ts",
  "functions/create-snapshot-group/schema.ts",
  "functions/create-snapshot/schema.ts",
  "functions/create-standard-snapshot/schema.ts",
  "functions/disk-attached/schema.ts",
  "functions/pre-deploy/schema.ts",
  "functions/prune-snapshots/schema.ts",
  "functions/scheduled-snapshots/schema.ts",
  "functions/scheduled-snapshots/shards.ts",
  "functions/verify-snapshots/schema.ts",
  "infra/local/cloud/clock.ts",
  "infra/local/cloud/cloud-state.ts",
  "infra/local/cloud/gateway/authentication.ts",
  "infra/local/cloud/gateway/http.ts",
  "infra/local/cloud/gateway/server.ts",
  "infra/local/cloud/gateway/throttle.ts",
  "infra/local/cloud/inventory.ts",
  "infra/local/cloud/services/constraints.ts",
  "infra/local/cloud/services/dws.ts",
  "infra/local/cloud/services/ecs.ts",
  "infra/local/cloud/services/evs-common.ts",
  "infra/local/cloud/services/evs-groups.ts",
  "infra/local/cloud/services/evs-jobs.ts",
  "infra/local/cloud/services/evs-v2.ts",
  "infra/local/cloud/services/evs-v5.ts",
  "infra/local/cloud/services/evs-volumes.ts",
  "infra/local/cloud/services/evs.ts",
  "infra/local/cloud/services/functiongraph.ts",
  "infra/local/cloud/services/lts.ts",
  "infra/local/host/apig-answer.ts",
  "infra/local/host/apig-event.ts",
  "infra/local/host/async-queue.ts",
  "infra/local/host/context.cjs",
  "infra/local/host/environment.ts",
  "infra/local/host/gateway.ts",
  "infra/local/host/host.ts",
  "infra/local/host/instance.ts",
  "infra/local/host/limits.ts",
  "infra/local/host/pool.ts",
  "infra/local/host/runner.cjs",
  "infra/local/host/urn.ts",
  "infra/local/invoke/placeholders.ts",
  "infra/local/invoke/replay.ts",
  "infra/local/site/records.ts",
  "infra/local/site/sample-inventory.ts",
  "infra/local/site/site.ts",
  "infra/local/tour/create-step.ts",
  "infra/openapi/document.ts",
  "infra/terraform/variables.tf",
  "shared/core/errors.ts",
  "shared/core/instant.ts",
  "shared/core/json.ts",
  "shared/core/retry.ts",
  "shared/functiongraph/platform-context.ts",
  "shared/functiongraph/read-http.ts",
  "shared/functiongraph/read-timer.ts",
  "shared/functiongraph/triggers.ts",
  "shared/functiongraph/variables.ts",
  "shared/huaweicloud/dws.ts",
  "shared/huaweicloud/evs-v2.ts",
  "shared/huaweicloud/evs-v5.ts",
  "shared/huaweicloud/evs-volumes.ts",
  "shared/huaweicloud/function-invocations.ts",
  "shared/huaweicloud/http/cloud-errors.ts",
  "shared/huaweicloud/http/credentials.ts",
  "shared/huaweicloud/http/endpoints.ts",
  "shared/huaweicloud/http/pagination.ts",
  "shared/huaweicloud/http/rate-limiter.ts",
  "shared/huaweicloud/http/sdk-client.ts",
  "shared/huaweicloud/http/transport.ts",
  "shared/huaweicloud/lts.ts",
  "shared/huaweicloud/sdk-stubs/exceptions.cjs",
  "shared/huaweicloud/sdk-stubs/index.mjs",
  "shared/huaweicloud/sdk-stubs/logger.cjs",
  "shared/middleware/create-request.ts",
  "shared/middleware/invocation-context.ts",
  "shared/middleware/unmarked.ts",
  "shared/results/log-delivery.ts",
  "shared/snapshots/create/create-once.ts",
  "shared/snapshots/kinds/cluster-snapshot.ts",
  "shared/snapshots/kinds/kind.ts",
  "shared/snapshots/kinds/snapshot-group.ts",
  "shared/snapshots/kinds/snapshot.ts",
  "shared/snapshots/kinds/standard-snapshot.ts",
  "shared/snapshots/marker.ts",
  "shared/snapshots/policy-schema.ts",
  "shared/snapshots/policy.ts",
  "shared/snapshots/reporting.ts",
  "shared/snapshots/retention/plan.ts",
  "shared/snapshots/verify.ts",
  "shared/validation/fields.ts",
  "test/bench/baselines.ts",
  "test/bench/budgets.ts",
  "test/bundles.test.ts",
  "test/functions/create-contract.test.ts",
  "test/functions/scheduled-snapshots.test.ts",
  "test/infra/local/cloud/inventory.test.ts",
  "test/infra/terraform/deployment.ts",
  "test/shared/huaweicloud/http/cloud-errors.test.ts",
  "test/shared/huaweicloud/sdk-flaws.test.ts",
  "test/support/environment.ts",
];

test("no file cites a document outside the repository, except the listed ones", () => {
  expect(FILES.filter((path) => OUTSIDE.test(read(path)))).toEqual(CITING_OUTSIDE);
});

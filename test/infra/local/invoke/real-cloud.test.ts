/** Tests which endpoints `npm run invoke -- … --real` prints, and when the command requires `--yes`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { CREDENTIALS, describeCloud, SETTINGS } from "../../../../infra/local/invoke/real-cloud.ts";
import { replay } from "../../../../infra/local/invoke/replay.ts";
import { environmentOf } from "../../../../infra/local/site/addresses.ts";
import { type LocalSite, startLocalSite } from "../../../../infra/local/site/local-site.ts";
import { BadUsage } from "../../../../infra/local/terminal/arguments.ts";
import { apig, timerEvent } from "../../../support/environment.ts";
import { captureOutputs } from "../../../support/outputs.ts";

let localSite: LocalSite;
let folder: string;
beforeAll(async () => {
  localSite = await startLocalSite({ onLine: () => {} });
  folder = mkdtempSync(join(tmpdir(), "invoke-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await localSite.close();
});

const RETENTION = { keep_last: 1 };
const policy = (fields: object = {}) => ({ policy: "nightly", retention: RETENTION, ...fields });
const TARGETS = [{ kind: "snapshot", tags: { backup: "daily" } }];

/** Runs `invoke --real` with the environment variables that `npm start` prints. `changes` replaces some of the variables. */
async function invoke(name: string, event: unknown, options: string[] = [], changes: Record<string, string> = {}) {
  for (const [variable, value] of Object.entries({ ...environmentOf(localSite.cloud), ...changes })) {
    vi.stubEnv(variable, value);
  }
  onTestFinished(() => void vi.unstubAllEnvs());
  const path = join(folder, "event.json");
  writeFileSync(path, JSON.stringify(event));
  const outputs = captureOutputs();
  const before = localSite.cloud.requests.length;
  const outcome = await replay([name, path, "--real", ...options], outputs).catch((thrown) => thrown);
  const [output, errors] = [outputs.stdout(), outputs.stderr()];
  return { outcome, output, errors, requests: localSite.cloud.requests.length - before };
}

test("invoke --real prints the endpoint of each service and reports that all endpoints are on loopback", async () => {
  const { url } = localSite.cloud;
  const { outcome, output } = await invoke("verify-snapshots", timerEvent({}, "{{now}}"));
  expect(outcome).toBe(0);
  expect(output).toMatch(/^Runs verify-snapshots on loopback: region eu-west-101, project 0123456789abcdef/);
  expect(output).not.toContain("REAL");
  for (const service of ["EVS", "DWS", "ECS", "FUNCTIONGRAPH", "LTS"]) {
    expect(output).toMatch(new RegExp(`^ {2}${service} +${url} {2}loopback$`, "m"));
  }
});

test('invoke --real prints "REAL cloud" and every endpoint if one endpoint is not a loopback address', async () => {
  const changes = { ECS_ENDPOINT: "", DWS_ENDPOINT: "http://dws.example.com", LTS_ENDPOINT: "" };
  // invoke rejects the DWS endpoint, because it is not an https address, and sends no request.
  const { outcome, output } = await invoke("prune-snapshots", timerEvent(policy()), [], changes);
  expect(outcome).toBeInstanceOf(BadUsage);
  expect(output).toMatch(/^Runs prune-snapshots on the REAL cloud: /);
  expect(output).toMatch(/^ {2}EVS +http:\/\/127\.0\.0\.1:\d+ {2}loopback$/m);
  expect(output).toMatch(/^ {2}ECS +https:\/\/ecs\.eu-west-101\.myhuaweicloud\.com$/m);
  expect(output).toMatch(/^ {2}DWS +DWS_ENDPOINT: expected an address such as .*got "http:\/\/dws\.example\.com"\.$/m);
  expect(output).toMatch(/^ {2}LTS +not set: records are written to stdout only$/m);
});

test.each([
  ["http://127.0.0.1:8080", true],
  ["http://127.255.3.4", true],
  ["http://[::1]:8080", true],
  ["http://localhost:8080", true],
  ["https://127.0.0.1.example.com", false],
  ["https://localhost.example.com", false],
  ["https://evs.eu-west-101.myhuaweicloud.com", false],
])(
  "invoke --real prints the word loopback after an endpoint only if the endpoint is on this machine: %s",
  (url, isLocal) => {
    const endpoints = Object.fromEntries(
      ["EVS", "DWS", "ECS", "FUNCTIONGRAPH"].map((name) => [`${name}_ENDPOINT`, url]),
    );
    const [title, dws] = describeCloud("verify-snapshots", endpoints, {});
    expect(title?.includes(" on loopback")).toBe(isLocal);
    expect(title?.includes("REAL cloud")).toBe(!isLocal);
    expect(dws).toMatch(isLocal ? /^ {2}DWS .* {2}loopback$/ : /^ {2}DWS +https:\S+$/);
  },
);

describe("invoke --real of a function that deletes snapshots", () => {
  const gate = (fields: object) => ({ deployment_id: "release-7", targets: TARGETS, retention: RETENTION, ...fields });
  const cases: [string, string, unknown, Record<string, string>?][] = [
    ["prune-snapshots", "prune-snapshots", timerEvent(policy())],
    [
      'prune-snapshots with a dry_run that is the string "true"',
      "prune-snapshots",
      timerEvent(policy({ dry_run: "true" })),
    ],
    ["prune-snapshots with a policy that is an object", "prune-snapshots", { ...timerEvent(""), user_event: policy() }],
    ["prune-snapshots with a policy that is not valid JSON", "prune-snapshots", timerEvent("{")],
    ["prune-snapshots with an empty event", "prune-snapshots", {}],
    ["prune-snapshots with a policy file", "prune-snapshots", policy()],
    [
      "scheduled-snapshots with a policy file with make_room",
      "scheduled-snapshots",
      policy({ targets: TARGETS, make_room: true }),
    ],
    ["pre-deploy with a request body in a file with make_room", "pre-deploy", gate({ make_room: true })],
    [
      "scheduled-snapshots with make_room",
      "scheduled-snapshots",
      timerEvent(policy({ targets: TARGETS, make_room: true })),
    ],
    ["pre-deploy with make_room", "pre-deploy", apig(gate({ make_room: true }))],
    [
      "pre-deploy with make_room in a plain-text body",
      "pre-deploy",
      apig({}, {}, { body: JSON.stringify(gate({ make_room: true })), isBase64Encoded: false }),
    ],
    ["disk-attached with a retention", "disk-attached", {}, { DISK_ATTACHED_RETENTION: JSON.stringify(RETENTION) }],
  ];
  test.each(cases)("invoke --real without --yes does not run %s", async (_what, name, event, changes) => {
    const { outcome, requests } = await invoke(name, event, [], changes);
    expect(outcome).toBeInstanceOf(BadUsage);
    expect(outcome.message).toMatch(/^Not run: .* deletes snapshots.*\. Add --yes /);
    expect(requests).toBe(0);
  });

  test("only with --yes, invoke --real runs prune-snapshots, which then deletes a snapshot", async () => {
    const { cloud, inventory } = localSite;
    const marker = {
      "managed-by": "snapshot-functions",
      policy: "nightly",
      key: "a".repeat(32),
      content: "b".repeat(8),
    };
    for (const hour of [1, 2]) {
      const createdAt = cloud.clock.now() - hour * 3_600_000;
      cloud.addSnapshot({ kind: "snapshot", volumeId: inventory.webData, metadata: marker, createdAt });
    }
    const kept = () => cloud.snapshots("snapshot").filter(({ status }) => status === "available");
    expect((await invoke("prune-snapshots", timerEvent(policy(), "{{now}}"))).outcome).toBeInstanceOf(BadUsage);
    expect(kept()).toHaveLength(2);
    expect((await invoke("prune-snapshots", timerEvent(policy(), "{{now}}"), ["--yes"])).outcome).toBe(0);
    expect(kept()).toHaveLength(1);
  });
});

test("invoke --real does not require --yes for a dry run or for pre-deploy without make_room", async () => {
  const dry = await invoke("prune-snapshots", timerEvent(policy({ dry_run: true }), "{{now}}"));
  expect(dry.outcome).toBe(0);
  const room = policy({ targets: TARGETS, make_room: true, dry_run: true });
  expect((await invoke("scheduled-snapshots", timerEvent(room, "{{now}}"))).outcome).toBe(0);
  const gate = await invoke("pre-deploy", apig({ deployment_id: "release-8", targets: TARGETS }));
  expect(gate.outcome).toBe(0);
});

test("invoke --real does not require --yes for a dry run in a policy file", async () => {
  expect((await invoke("prune-snapshots", policy({ dry_run: true }))).outcome).toBe(0);
});

test("invoke --real --json prints the endpoints on stderr and only JSON values on stdout", async () => {
  const { output, errors } = await invoke("verify-snapshots", timerEvent({}, "{{now}}"), ["--json"]);
  expect(errors).toMatch(/^ {2}EVS +http:\/\/127\.0\.0\.1:\d+ {2}loopback$/m);
  for (const line of output.trimEnd().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
});

test("invoke --real --wait lists the snapshots on the real endpoints until they are available", async () => {
  const body = { snapshot: { volume_id: localSite.inventory.archive } };
  const { outcome, output } = await invoke("create-standard-snapshot", body, ["--wait"]);
  expect(outcome).toBe(0);
  expect(output).toMatch(/^create-standard-snapshot started 1 snapshot\. The snapshot became available after /m);
});

test("invoke --real --wait exits with 1 and names the snapshot if a created snapshot fails", async () => {
  const { id } = localSite.cloud.addVolume();
  localSite.cloud.endWith(id, "error");
  const { outcome, output } = await invoke("create-standard-snapshot", { snapshot: { volume_id: id } }, ["--wait"]);
  expect(outcome).toBe(1);
  expect(output).toMatch(/^create-standard-snapshot started 1 snapshot\. After \d\.\d s, the snapshot failed\.$/m);
  expect(output.replaceAll(/\n {2}/g, " ")).toMatch(new RegExp(`^${id}: The snapshot \\S+ \\(\\S+\\) failed\\.`, "m"));
});

describe("invoke --real --env-file", () => {
  /** Runs `invoke --real` with only `variables` in the environment and with `text` as the file after `--env-file`. */
  async function invokeWith(text: string, variables: Record<string, string> = {}, functionName = "verify-snapshots") {
    for (const name of [...SETTINGS, ...CREDENTIALS]) vi.stubEnv(name, variables[name]);
    onTestFinished(() => void vi.unstubAllEnvs());
    const [path, envPath] = [join(folder, "event.json"), join(folder, "cloud.env")];
    writeFileSync(path, JSON.stringify(timerEvent({}, "{{now}}")));
    writeFileSync(envPath, text);
    const outputs = captureOutputs();
    const outcome = await replay([functionName, path, "--real", "--env-file", envPath], outputs).catch(
      (thrown) => thrown,
    );
    return { outcome, output: outputs.stdout() + outputs.stderr() };
  }

  const envText = (changes: Record<string, string> = {}) =>
    Object.entries({ ...environmentOf(localSite.cloud), ...changes })
      .map(([name, value]) => `${name}='${value}'`)
      .join("\n");

  test("invoke --real reads the variables from the file after --env-file and prints no value from the file except endpoints", async () => {
    const { outcome, output } = await invokeWith(`# keys\n\n${envText()}\nexport OTHER=hidden-value`);
    expect(outcome).toBe(0);
    expect(output).toMatch(/^Runs verify-snapshots on loopback: region eu-west-101/);
    expect(output).toContain("HUAWEICLOUD_SDK_SK");
    expect(output).toMatch(/^ {2}No function reads: OTHER$/m);
    const { ak, sk, securityToken } = localSite.cloud.credentials;
    for (const secret of [ak, sk, securityToken, "hidden-value"]) expect(output).not.toContain(secret);
  });

  test("invoke --real prefers the value of a variable in the environment to the value in the file after --env-file, even if the former is empty", async () => {
    const { output } = await invokeWith(envText({ REGION: "eu-west-0" }), { REGION: "eu-west-101", LTS_ENDPOINT: "" });
    expect(output).toMatch(/^Runs verify-snapshots on loopback: region eu-west-101/);
    expect(output).toMatch(/^ {2}LTS +not set: records are written to stdout only$/m);
  });

  test("invoke --real requires --yes if a variable in the file after --env-file makes a function delete snapshots", async () => {
    const { outcome } = await invokeWith(
      envText({ DISK_ATTACHED_RETENTION: JSON.stringify(RETENTION) }),
      {},
      "disk-attached",
    );
    expect(outcome).toBeInstanceOf(BadUsage);
    expect(outcome.message).toMatch(/^Not run: the variable DISK_ATTACHED_RETENTION is set/);
  });

  test.each([
    ["a line that sets no variable", "REGION=eu-west-101\nsecret-key: abc", "in line 2 of"],
    ["no variable", "# nothing", "got none"],
  ])("invoke --real refuses a file after --env-file with %s", async (_what, text, message) => {
    const { outcome } = await invokeWith(text);
    expect(outcome).toBeInstanceOf(BadUsage);
    expect(outcome.message).toContain(message);
    expect(outcome.message).not.toContain("secret-key");
  });
});

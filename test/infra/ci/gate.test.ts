/** Runs the built client of the deployment gate in a shell, as a CI pipeline does. */
import { readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REASONS } from "../../../shared/core/errors.ts";
import {
  APP_CODE,
  buildClient,
  gateIn,
  READY,
  runCommand,
  startGate,
  startServer,
  TAGS,
} from "../../support/gate-client.ts";

const folder = buildClient();
const { gate, hurried } = gateIn(folder);

describe.concurrent("the gate client", () => {
  test("a second run of the gate client with the same deployment id creates a snapshot only if a snapshot of the first run failed and --retry-failed is set", async (context) => {
    const { cloud, url, volumes } = await startGate(context);
    cloud.endWith(volumes[0] as string, "error");
    expect((await gate(url)).code).toBe(1);
    expect((await gate(url)).code).toBe(1);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
    const { code, output } = await gate(url, "--retry-failed");
    expect(output).toContain("ready: 2 of 2 available");
    expect(code).toBe(0);
    expect((await gate(url)).code).toBe(0);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(3);
  });

  test("the gate client exits with 3 and prints advice if an earlier run used the same deployment id with different targets", async (context) => {
    const { cloud, url } = await startGate(context);
    expect((await gate(url)).code).toBe(0);
    const other = [{ kind: "standard-snapshot", tags: TAGS, description: "another one" }];
    writeFileSync(join(folder(), "other.json"), JSON.stringify(other));
    const { code, output } = await gate(url, "--targets other.json");
    expect(output).toContain("release-1, 1 selection, at most");
    expect(output).toMatch(/rejected: correct the call\n +Conflict: .* --deployment-id .*\n$/);
    expect(output).not.toContain("--retry-failed");
    expect(code).toBe(3);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("the gate client exits with 3 and prints advice about tags if no disk has the selected tag", async (context) => {
    const { cloud, url } = await startGate(context);
    writeFileSync(join(folder(), "misspelt.json"), JSON.stringify([{ kind: "snapshot", tags: { app: "shpo" } }]));
    const { code, output } = await gate(url, "--targets misspelt.json");
    expect(output).toContain("404 NotFound: targets[0]: expected to select at least one resource");
    expect(output).toMatch(
      /rejected: correct the call\n +NotFound: Compare the tags in the targets file with the tags/,
    );
    expect(output).not.toMatch(/the id|PROJECT_ID/);
    expect(code).toBe(3);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("if only one of two selected disks exists, the gate client exits with 3 and prints that the deployment must not begin", async (context) => {
    const { cloud, url, volumes } = await startGate(context);
    const targets = [{ kind: "snapshot", volume_ids: [volumes[0], "5aa119a8-d25b-45a7-8d1b-88e127885635"] }];
    writeFileSync(join(folder(), "one-id.json"), JSON.stringify(targets));
    const { code, output } = await gate(url, "--targets one-id.json");
    expect(output).toMatch(
      / s {2}failed: the deployment must not begin\n +NotFound: Check the id in the targets file\.\n$/,
    );
    expect(output).not.toContain("refused");
    expect(code).toBe(3);
    expect(cloud.snapshots("snapshot")).toHaveLength(1);
  });

  test.for([
    // Before the refusal is final, pre-deploy waits 6 s until a list must show the snapshot of another delivery.
    ["the snapshot quota is exhausted", "evs.createSnapshot", 413, "EVS.5413", "QuotaExceeded", 1, 20],
    ["pre-deploy lacks permissions", "evs.listSnapshots", 403, "EVS.5403", "AccessDenied", 1, 1],
    ["the selected disk does not exist", "evs.createSnapshot", 404, "EVS.5404", "NotFound", 3, 1],
    ["EVS throttles the account", "evs.listSnapshots", 429, "APIGW.0308", "Throttled", 2, 1],
  ] as const)(
    "if %s, the gate client prints the error message that pre-deploy recorded, and names no setting of pre-deploy",
    async ([_name, operation, status, errorCode, reason, code, seconds], context) => {
      const { cloud, url, volumes, recordedErrors } = await startGate(context);
      const body = JSON.stringify({ error: { code: errorCode, message: "A message of EVS." } });
      cloud.fault({ operation, times: 99 }, { type: "answer", status, body });
      writeFileSync(join(folder(), `${reason}.json`), JSON.stringify([{ kind: "snapshot", volume_ids: [volumes[0]] }]));
      const { code: exitCode, output } = await gate(url, `--targets ${reason}.json --timeout-seconds ${seconds}`);
      const [error] = recordedErrors();
      expect(error).toMatchObject({ reason, message: expect.stringContaining(REASONS[reason].advice) });
      expect(output).toContain(`${reason}: ${error?.message}\n`);
      expect(output.split(REASONS[reason].advice)).toHaveLength(2);
      expect(output).not.toMatch(/make_room|[A-Z]{2,}_[A-Z]{2,}|agency/);
      expect(exitCode).toBe(code);
    },
  );

  test("the gate client exits with 1 and prints no secret after an unexpected exception", async () => {
    const broken = `performance.now = () => { throw new Error("${APP_CODE}\\u2028broke") };`;
    const { code, output } = await gate("http://127.0.0.1:9/pre-deploy", "", hurried("broken", broken));
    expect(output).toBe("snapshot-gate: unexpected error: ***\\u2028broke. The deployment must not begin.\n");
    expect(code).toBe(1);
  });

  test("the gate client reads a targets file that begins with a byte order mark", async (context) => {
    const { url, requests } = await startServer(context, () => ({ status: 200, body: READY }));
    const targets = [{ kind: "standard-snapshot", tags: TAGS }];
    writeFileSync(join(folder(), "marked.json"), `\ufeff${JSON.stringify(targets)}`);
    expect((await gate(url, "--targets marked.json")).code).toBe(0);
    expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ targets });
  });

  test("the gate client sends no request if its deployment id contains an unexpanded variable, except with --allow-any-id", async (context) => {
    const { url, requests } = await startServer(context, (body) => ({
      status: 200,
      body: JSON.stringify({ ...JSON.parse(READY), deployment_id: JSON.parse(body).deployment_id }),
    }));
    const refused = await gate(url, "--deployment-id 'shop-$BUILD'");
    expect(refused.output).toMatch(/^snapshot-gate: --deployment-id: got "shop-\$BUILD"\. .*--allow-any-id\.\n/);
    expect(refused.code).toBe(3);
    expect(requests).toEqual([]);
    expect((await gate(url, "--deployment-id 'shop-$BUILD' --allow-any-id")).code).toBe(0);
    const variables = { SNAPSHOT_GATE_APP_CODE: APP_CODE, SNAPSHOT_GATE_ALLOW_ANY_ID: "true" };
    expect((await gate(url, "--deployment-id 'shop-$BUILD'", variables)).code).toBe(0);
  });

  test("the gate client prints its progress only about once a minute if the progress does not change", async (context) => {
    const pending = JSON.stringify({ status: "pending", snapshots: [{ kind: "snapshot", outcome: "accepted" }] });
    const { url, requests } = await startServer(context, () => ({ status: 202, body: pending }));
    // The clock runs a hundred times faster, so the timeout of 300 s takes 3 s of real time.
    const { code, output } = await gate(url, "--timeout-seconds 300", hurried("progress"));
    const lines = output.match(/ s {2}pending: 0 of 1 available/g) ?? [];
    expect(requests.length).toBeGreaterThan(lines.length * 2);
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.length).toBeLessThanOrEqual(6);
    expect(code).toBe(2);
  });

  test("the gate client exits with 3 and prints its usage if it gets an unknown option", async () => {
    const { code, output } = await runCommand(folder(), "node .ci/snapshot-gate.cjs --retry", {});
    expect(output).toMatch(/^snapshot-gate: Unknown option '--retry'/);
    expect(output).toContain("--deployment-id <id>");
    expect(code).toBe(3);
  });

  test("the gate client exits with 0 if --help is its only argument, and with 3 if it gets --help with other arguments", async () => {
    const alone = await runCommand(folder(), "node .ci/snapshot-gate.cjs --help", {});
    expect(alone.output).toContain("--deployment-id <id>");
    expect(alone.code).toBe(0);
    const among = await gate("http://127.0.0.1:9/pre-deploy", "--help");
    expect(among.output).toMatch(/^snapshot-gate: Unknown option '--help'/);
    expect(among.code).toBe(3);
  });

  test("the gate client escapes pipeline commands, such as ::error::, in the texts of a response", async (context) => {
    const message = "no\n::error::first\r\n::add-mask::second \u001b[31m ##[warning]third\u2028::error::fourth";
    const entry = { kind: "snapshot", outcome: "::error::fifth", error: { message } };
    const body = JSON.stringify({ status: "failed", snapshots: [entry] });
    const failed = await startServer(context, () => ({ status: 502, body }));
    const page = await startServer(context, () => ({ status: 400, body: message }));
    for (const { url } of [failed, page]) {
      const { output } = await gate(url);
      expect(output).toContain("::error::first");
      expect(output).not.toMatch(/^\s*::/m);
      expect(output).not.toContain("##[");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: expects that the output has none
      expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
    }
  });

  test('the gate client exits with 2 if the deployment id in a "ready" response differs from the requested deployment id', async (context) => {
    const other = JSON.stringify({ status: "ready", deployment_id: "release-0", snapshots: [] });
    const { url } = await startServer(context, () => ({ status: 200, body: other }));
    const { code, output } = await gate(url, "--timeout-seconds 1");
    expect(output).toContain('ignored a "ready" response for the deployment "release-0"');
    expect(code).toBe(2);
  });
});

test("the built gate client has less than 28 KiB and requires only built-in modules of Node.js", () => {
  const text = readFileSync(join(folder(), ".ci", "snapshot-gate.cjs"), "utf8");
  expect(text.length).toBeLessThan(28 * 1024);
  const required = [...text.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, name = ""]) =>
    name.replace("node:", ""),
  );
  expect(required.length).toBeGreaterThan(3);
  expect(required.filter((name) => !builtinModules.includes(name))).toEqual([]);
});

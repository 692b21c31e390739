import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EmbeddedCloud, startCloud } from "../infra/local/cloud/index.ts";
import { type BareContext, DIST, runBare } from "./support/bare-node.ts";
import { apig } from "./support/environment.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const text = (pattern: RegExp) => expect.stringMatching(pattern);

type Body = Record<string, Record<string, unknown>>;

/** Maps each create function to the sample request and the sample response in the public API reference. */
const CREATES: Record<string, { body(cloud: EmbeddedCloud): Body; status: number; response(request: Body): object }> = {
  "create-snapshot": {
    body: (cloud) => ({
      snapshot: {
        name: "snap-001",
        description: "Daily backup",
        volume_id: cloud.addVolume({ size: 1 }).id,
        force: false,
        metadata: { key_string: "value_string" },
      },
    }),
    status: 202,
    response: ({ snapshot }) => ({
      snapshot: {
        status: "creating",
        description: "Daily backup",
        created_at: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
        metadata: expect.any(Object),
        volume_id: snapshot?.volume_id,
        size: 1,
        id: text(UUID),
        name: "snap-001",
        updated_at: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
      },
    }),
  },
  "create-standard-snapshot": {
    body: (cloud) => ({
      snapshot: {
        volume_id: cloud.addVolume().id,
        name: "test_name",
        description: "test description",
        enterprise_project_id: "94f1ea84-1428-49b6-9920-8a9b8a29e4ca",
      },
    }),
    status: 202,
    response: () => ({ job_id: text(/^[0-9a-f]{32}$/), snapshot_id: text(UUID) }),
  },
  "create-snapshot-group": {
    body: (cloud) => {
      const server = cloud.addServer();
      for (let disks = 0; disks < 2; disks += 1) cloud.addVolume({ serverId: server.id });
      return { snapshot_group: { server_id: server.id } };
    },
    status: 202,
    response: () => ({ job_id: text(/^[0-9a-f]{32}$/), snapshot_group_id: text(UUID) }),
  },
  "create-cluster-snapshot": {
    body: (cloud) => {
      const cluster = cloud.addCluster();
      // DWS rejects a second snapshot with the same name in a project.
      const name = `snapshot-${cluster.id.slice(0, 8)}`;
      return { snapshot: { name, cluster_id: cluster.id, description: "Snapshot-3 description" } };
    },
    status: 200,
    response: () => ({ snapshot: { id: text(UUID) } }),
  },
};

interface Platform {
  context: BareContext;
  environment?: Record<string, string>;
  signed: "sdk-hmac" | "token";
}

const endpoints = ({ url }: EmbeddedCloud) => ({ EVS_ENDPOINT: url, DWS_ENDPOINT: url });

/** Maps a description of a platform to the context and the environment variables that this platform gives to a function. */
const PLATFORMS: Record<string, (cloud: EmbeddedCloud) => Platform> = {
  "every documented getter": (cloud) => ({
    context: {
      getRequestID: "1167bf8c-87b0-43ab-8f5f-26b16c64f252",
      getRemainingTimeInMilliSeconds: 30_000,
      getRunningTimeInSeconds: 30,
      getSecurityAccessKey: cloud.credentials.ak,
      getSecuritySecretKey: cloud.credentials.sk,
      getSecurityToken: String(cloud.credentials.securityToken),
      // The deprecated getters return wrong values, because the functions must not use them.
      getAccessKey: "obsolete",
      getSecretKey: "obsolete",
      getToken: String(cloud.credentials.token),
      getFunctionName: "a-name-of-the-users",
      getVersion: "latest",
      getMemorySize: "128",
      getCPUNumber: "300",
      getPackage: "default",
      getProjectID: cloud.projectId,
      getAlias: "",
      getWorkflowID: "",
      getWorkflowRunID: "",
      getWorkflowStateID: "",
      variables: endpoints(cloud),
    },
    signed: "sdk-hmac",
  }),
  "only the getter getToken()": (cloud) => ({
    context: { getToken: String(cloud.credentials.token) },
    environment: { RUNTIME_USERDATA: JSON.stringify(endpoints(cloud)), RUNTIME_PROJECT_ID: cloud.projectId },
    signed: "token",
  }),
  "no getters and environment variables contain the access key": (cloud) => ({
    context: {},
    environment: {
      ...endpoints(cloud),
      PROJECT_ID: cloud.projectId,
      HUAWEICLOUD_SDK_AK: cloud.credentials.ak,
      HUAWEICLOUD_SDK_SK: cloud.credentials.sk,
      HUAWEICLOUD_SDK_SECURITY_TOKEN: String(cloud.credentials.securityToken),
    },
    signed: "sdk-hmac",
  }),
};

describe.each(Object.entries(CREATES))("the bundle of %s", (name, { body, status, response }) => {
  test.each(Object.entries(PLATFORMS))(
    `if the platform's context has %s, the bundle of ${name} returns the response fields that the API reference documents`,
    async (_what, platformOf) => {
      const cloud = await startCloud();
      onTestFinished(() => cloud.close());
      const { context, environment, signed } = platformOf(cloud);
      const bodies = [body(cloud), body(cloud)] as const;
      const calls = [apig(bodies[0]), bodies[1]].map((event) => ({ event, context }));
      const run = await runBare(name, calls, { environment });

      const [http, direct] = run.returned;
      expect(http?.result).toEqual({
        statusCode: status,
        headers: {
          "content-type": "application/json",
          "x-request-id": context.getRequestID ?? text(UUID),
          "x-snapshot-outcome": "accepted",
        },
        body: expect.any(String),
        isBase64Encoded: false,
      });
      expect(JSON.parse(http?.result.body)).toMatchObject(response(bodies[0]));
      expect(direct?.result).toMatchObject(response(bodies[1]));
      expect(Object.keys(direct?.result)).toEqual(Object.keys(response(bodies[1])));

      expect(cloud.refusedSignatures).toEqual([]);
      expect(cloud.requests.map((request) => request.signed)).toEqual(Array(4).fill(signed));
      expect([run.stderr, run.status]).toEqual(["", 0]);
      const records = run.stdout.trimEnd().split("\n");
      expect(records.map((line) => JSON.parse(line)).map(({ trigger, outcome }) => [trigger, outcome])).toEqual([
        ["http", "accepted"],
        ["http", "done"],
        ["direct", "accepted"],
        ["direct", "done"],
      ]);
    },
  );

  test(`the bundle of ${name} throws InvalidRequest if the event of a direct invocation has a field of the wrong type`, async () => {
    const cloud = await startCloud();
    onTestFinished(() => cloud.close());
    const { context } = (PLATFORMS["every documented getter"] as (typeof PLATFORMS)[string])(cloud);
    const { returned } = await runBare(name, [{ event: { snapshot: 7, snapshot_group: 7 }, context }]);
    expect(returned[0]?.thrown).toMatchObject({
      name: "InvalidRequest",
      message: text(/expected an object, got the number 7/),
    });
    expect(cloud.requests).toEqual([]);
  });

  test(`the bundle of ${name} requires only built-in modules of Node.js`, () => {
    const bundle = readFileSync(join(DIST, name, "index.js"), "utf8");
    const required = [...bundle.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, module = ""]) => module);
    expect(required.length).toBeGreaterThan(0);
    expect(required.filter((module) => !builtinModules.includes(module.replace(/^node:/, "")))).toEqual([]);
  });
});

describe("the build", () => {
  /** dist/package.json declares the bundles as CommonJS, because the platform loads them with require(). */
  const MANIFEST = "package.json";
  const node = (cwd: string, ...argv: string[]) =>
    spawnSync(process.execPath, argv, { cwd, env: { ...process.env, TZ: "Pacific/Honolulu" }, encoding: "utf8" });
  const functions = readdirSync(join(root, "functions")).filter((name) =>
    statSync(join(root, "functions", name)).isDirectory(),
  );

  test("the build writes a bundle for each function, and a zip archive that contains only this bundle", () => {
    expect(readdirSync(DIST).sort()).toEqual([...functions.flatMap((name) => [name, `${name}.zip`]), MANIFEST].sort());
    for (const name of functions) {
      const archive = unzipSync(readFileSync(join(DIST, `${name}.zip`)));
      expect(Object.keys(archive)).toEqual(["index.js"]);
      expect(Buffer.from(archive["index.js"] ?? []).equals(readFileSync(join(DIST, name, "index.js")))).toBe(true);
    }
  });

  test("the build writes bundles that require() loads without a warning", () => {
    const load = functions.map((name) => `typeof require("./dist/${name}/index.js").handler`);
    const { stdout, stderr } = node(root, "-p", `[${load}].join()`);
    expect([stdout.trim(), stderr]).toEqual([functions.map(() => "function").join(), ""]);
  });

  /** Copies the sources into a temporary folder that links to the installed packages. */
  function copySources(): string {
    const copy = mkdtempSync(join(tmpdir(), "build-"));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    for (const name of ["esbuild.config.mjs", "tsconfig.json", "package.json", "functions", "shared"]) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    return copy;
  }

  test("the build deletes the bundles of functions that no longer exist, and keeps the temporary files of a concurrent build", () => {
    const dist = join(copySources(), "dist");
    for (const folder of ["create-snapshot", "gone"]) mkdirSync(join(dist, folder), { recursive: true });
    for (const file of ["gone.zip", "create-snapshot.zip.4711"]) writeFileSync(join(dist, file), "");
    expect(node(join(dist, ".."), "esbuild.config.mjs", "--quiet")).toMatchObject({ status: 0, stderr: "" });
    const built = functions.flatMap((name) => [name, `${name}.zip`]);
    expect(readdirSync(dist).sort()).toEqual([...built, "create-snapshot.zip.4711", MANIFEST].sort());
  });

  test("the build writes identical bytes if the same sources are built in two folders and in two time zones", () => {
    const copy = copySources();
    expect(node(copy, "esbuild.config.mjs", "--quiet")).toMatchObject({ status: 0, stderr: "" });
    for (const name of functions) {
      for (const file of [`${name}.zip`, join(name, "index.js")]) {
        const same = readFileSync(join(copy, "dist", file)).equals(readFileSync(join(DIST, file)));
        expect([file, same]).toEqual([file, true]);
      }
    }
  });
});

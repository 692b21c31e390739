/** Compares infra/openapi.json with the code, and with the requests and responses of the functions. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { openApiText } from "../../infra/openapi/document.ts";
import { REASONS } from "../../shared/core/errors.ts";
import { CREATES, type Create, createFixture } from "../support/creates.ts";
import { apig, createTestEnvironment, type Invoked, type TestEnvironment } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { withOurKeywords } from "../support/keywords.ts";
import { planOf, sources } from "./terraform/plan.ts";

// biome-ignore lint/suspicious/noExplicitAny: a document and responses of many shapes
type Any = any;

const root = join(import.meta.dirname, "..", "..");
const PATH = join(root, "infra", "openapi.json");
const document: Any = JSON.parse(readFileSync(PATH, "utf8"));
const names: string[] = Object.keys(document.paths).map((path) => path.slice(1));
const operation = (name: string) => document.paths[`/${name}`].post;

/** Returns what a reference refers to, or the value itself if it is no reference. */
const resolved = (value: Any): Any =>
  value?.$ref === undefined
    ? value
    : value.$ref
        .slice("#/".length)
        .split("/")
        .reduce((inside: Any, key: string) => inside[key], document);

/** Returns a schema with all references replaced. */
const expand = (schema: Any): Any => {
  const value = resolved(schema);
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expand(inner)]));
};

const ajv = withOurKeywords(new Ajv2020({ strict: false, allErrors: true })).addSchema(document, "openapi.json");
const pointer = (...keys: (string | number)[]) =>
  keys.map((key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1")).join("/");

/** Returns the faults of a value by the schema of the JSON content at a place of the document. */
function faultsAt(place: string, value: unknown): unknown[] {
  const validate = ajv.compile({ $ref: `openapi.json#/${place}/content/application~1json/schema` });
  return validate(value) ? [] : (validate.errors ?? []);
}

const at = (name: string, ...keys: (string | number)[]) => pointer("paths", `/${name}`, "post", ...keys);

/** Returns the place that describes a response with this status. */
const placeOf = (name: string, status: number) =>
  operation(name).responses[status].$ref?.slice("#/".length) ?? at(name, "responses", status);

describe("openapi.json", () => {
  test("openapi.json is the current output of `npm run generate`", () => {
    expect(readFileSync(PATH, "utf8")).toBe(openApiText());
  });

  const lint = (path: string) => {
    const cli = join(root, "node_modules/@redocly/cli/bin/cli.js");
    const config = join(root, "infra/openapi/redocly.yaml");
    const { status, stdout } = spawnSync(process.execPath, [cli, "lint", path, "--config", config, "--format=json"], {
      encoding: "utf8",
      // The linter must not use the network.
      env: { PATH: process.env.PATH, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
    });
    return { status, problems: JSON.parse(stdout).problems.map((one: Any) => `${one.ruleId}: ${one.message}`) };
  };

  test("openapi.json has no errors or warnings of the linter", () => {
    expect(lint(PATH)).toEqual({ status: 0, problems: [] });
  });

  test.each<[string, (copy: Any) => void, RegExp]>([
    ["a reference to nothing", (copy) => delete copy.components.schemas.PreDeploy, /no-unresolved-refs/],
    ["an operation without authentication", (copy) => delete copy.security, /security-defined/],
    ["a field that OpenAPI does not have", (copy) => Object.assign(copy.info, { licence: "MIT" }), /struct/],
    [
      "an example that the schema refuses",
      (copy) => {
        copy.paths["/create-snapshot"].post.requestBody.content["application/json"].example = { snapshot: {} };
      },
      /no-invalid-media-type-examples/,
    ],
  ])("the linter of openapi.json reports %s", (_what, spoil, found) => {
    const copy = structuredClone(document);
    spoil(copy);
    const folder = mkdtempSync(join(tmpdir(), "openapi-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "openapi.json"), JSON.stringify(copy));
    const { status, problems } = lint(join(folder, "openapi.json"));
    expect(status).toBe(1);
    expect(problems.join("\n")).toMatch(found);
  });

  test("openapi.json has the paths, headers and authentication that the Terraform module configures", async () => {
    const plans = ["APP", "IAM"].map((authentication) =>
      planOf(sources(), {
        region: "eu-west-101",
        disk_attached_kind: "snapshot",
        lts_endpoint: "https://100.125.11.157:8102",
        alarm: { email: "sre@example.org" },
        functions: names,
        gateway: { instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7", authentication, publish_with_iam: true },
      }),
    );
    const schemes = new Set<string>();
    for (const plan of await Promise.all(plans)) {
      expect(plan.refusals).toEqual([]);
      const http = Object.entries<Any>(plan.locals.functions).filter(([, { trigger }]) => trigger === "http");
      expect(names.toSorted()).toEqual(http.map(([name]) => name).sort());
      const apis = plan.resources.filter(({ type }) => type === "huaweicloud_apig_api").map(({ values }) => values);
      expect(apis.map((api) => `${api.request_method} ${api.request_path}`).sort()).toEqual(
        Object.entries<Any>(document.paths)
          .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
          .sort(),
      );
      for (const api of apis) {
        schemes.add(api.security_authentication);
        // The gateway passes every described header on to the function.
        const described = (operation(api.name).parameters ?? []).map(resolved);
        for (const { name, required = false } of described) {
          expect(api.request_params).toContainEqual({ name, location: "HEADER", required, passthrough: true });
        }
      }
    }
    expect(document.security).toEqual([...schemes].map((scheme) => ({ [scheme]: [] })));
    expect(Object.keys(document.components.securitySchemes)).toEqual([...schemes]);
  });

  test("openapi.json describes every reason with its status and advice", () => {
    for (const name of names) {
      for (const [reason, { httpStatus, advice }] of Object.entries(REASONS)) {
        const { description, content } = resolved(operation(name).responses[httpStatus]);
        const body = { error: { code: reason, message: advice, reason, request_id: "1" } };
        expect(faultsAt(placeOf(name, httpStatus), body), `${name} ${reason}`).toEqual([]);
        const others = Object.values<Any>(operation(name).responses)
          .map((one) => one.$ref)
          .filter((one) => one !== undefined && !one.endsWith(`Error${httpStatus}`) && /Error(?!405)\d/.test(one));
        for (const reference of others) expect(faultsAt(reference.slice("#/".length), body)).not.toEqual([]);
        if (content["application/json"].schema.oneOf === undefined) expect(description).toContain(advice);
      }
    }
  });

  test("openapi.json has only examples that match their schemas", () => {
    let count = 0;
    const visit = (value: Any, place: string) => {
      if (typeof value !== "object" || value === null) return;
      const { schema, example } = value["application/json"] ?? {};
      if (schema !== undefined && example !== undefined) {
        count += 1;
        expect(faultsAt(place.replace(/\/content$/, ""), example), place).toEqual([]);
      }
      for (const [key, inner] of Object.entries(value)) visit(inner, `${place}${place && "/"}${pointer(key)}`);
    };
    visit(document, "");
    expect(count).toBeGreaterThanOrEqual(20);
  });
});

describe("the request bodies of openapi.json", () => {
  /** Function -> the export of its schema.generated.js that validates the body. */
  const BODIES = {
    "create-snapshot": "current",
    "create-standard-snapshot": "current",
    "create-snapshot-group": "current",
    "create-cluster-snapshot": "current",
    "pre-deploy": "deployment",
  };

  test.each(Object.entries(BODIES))(
    "openapi.json describes the body of %s by the schema that the function validates with",
    async (name, variant) => {
      const validated = await import(`../../functions/${name}/schema.generated.js`);
      const source = await import(`../../functions/${name}/schema.ts`);
      const described = expand(operation(name).requestBody.content["application/json"].schema);
      expect(unexplained(described)).toEqual(validated[variant]);
      expect(unexplained(described)).toEqual(JSON.parse(JSON.stringify(source[variant])));
    },
  );

  /** Removes explanations and defaults. A description that is no string is the schema of a field with that name. */
  const unexplained = (value: Any): Any => {
    if (Array.isArray(value)) return value.map(unexplained);
    if (typeof value !== "object" || value === null) return value;
    const { description, default: _, ...others } = value;
    const kept = typeof description === "string" ? others : value;
    const { default: __, ...left } = kept;
    return Object.fromEntries(Object.entries(left).map(([key, inner]) => [key, unexplained(inner)]));
  };

  test("openapi.json describes each field of pre-deploy with its real default", async () => {
    const { properties } = expand(operation("pre-deploy").requestBody.content["application/json"].schema);
    for (const [name, { description }] of Object.entries<Any>(properties)) expect(description, name).toBeTruthy();
    const environment = await createTestEnvironment();
    const disk = environment.cloud.addVolume().id;
    const { result } = await environment.invoke(
      preDeploy,
      apig({ deployment_id: "d", targets: [{ kind: "snapshot", volume_ids: [disk] }] }),
    );
    const defaults = Object.fromEntries(
      Object.entries<Any>(properties).flatMap(([name, one]) => ("default" in one ? [[name, one.default]] : [])),
    );
    expect(defaults).toMatchObject({ wait_seconds: 0, policy: "pre-deploy", max_age_minutes: 1440 });
    const [taken] = environment.cloud.snapshots("snapshot");
    expect([result.statusCode, taken?.metadata?.policy]).toEqual([202, defaults.policy]);
    const kinds = properties.targets.items.oneOf.map(({ properties: own }: Any) => [
      own.kind.const,
      own.force?.default,
    ]);
    expect(Object.fromEntries(kinds)).toMatchObject({ snapshot: true });
  });

  test("openapi.json has the body of create-snapshot for older clouds", async () => {
    const { classic } = await import("../../functions/create-snapshot/schema.generated.js");
    const media = operation("create-snapshot").requestBody.content["application/json"];
    expect(media["x-evs-limits-classic"]).toEqual({ schema: classic });
    expect(operation("create-snapshot").description).toContain("EVS_LIMITS=classic");
  });

  test("openapi.json has the body of every HTTP function", () => {
    expect(Object.keys(BODIES).sort()).toEqual(names.toSorted());
  });
});

describe("the responses of openapi.json", () => {
  useFixedDate();

  /** Function -> the statuses of its responses in these tests. */
  const seen = new Map<string, Set<number>>();
  beforeAll(() => seen.clear());

  /** Compares the status, headers and body of a response with the document. Returns its status and body. */
  function expectDescribed(name: string, { result }: Invoked): Any {
    const { statusCode, headers, body } = result;
    const value = JSON.parse(body);
    const response = resolved(operation(name).responses[statusCode]);
    expect(response, `${name} ${statusCode} ${body}`).toBeDefined();
    expect(faultsAt(placeOf(name, statusCode), value), `${name} ${statusCode} ${body}`).toEqual([]);
    // The response has no field that is not described.
    expect(undescribed(value, expand(response.content["application/json"].schema))).toEqual([]);

    const described = Object.entries<Any>(response.headers).map(([header, one]) => [
      header.toLowerCase(),
      resolved(one),
    ]);
    const known = ["content-type", ...described.map(([header]) => header)];
    expect(Object.keys(headers).filter((header) => !known.includes(header))).toEqual([]);
    for (const [header, { required, schema }] of described) {
      const value = headers[header];
      expect(value !== undefined || !required, `${name} ${statusCode}: ${header}`).toBe(true);
      if (value !== undefined)
        expect(ajv.validate(schema, schema.type === "integer" ? Number(value) : value)).toBe(true);
    }
    seen.set(name, (seen.get(name) ?? new Set()).add(statusCode));
    return { status: statusCode, body: value };
  }

  /** Returns the fields of a value that its schema does not name. */
  function undescribed(value: Any, schema: Any, path = ""): string[] {
    if (Array.isArray(value)) return value.flatMap((one, place) => undescribed(one, schema.items, `${path}[${place}]`));
    if (typeof value !== "object" || value === null || (schema.type === "object" && schema.properties === undefined))
      return [];
    const parts = [schema, ...(schema.allOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) => [
      one,
      ...(one.allOf ?? []),
    ]);
    return Object.entries(value).flatMap(([key, inner]) => {
      const own = parts.map(({ properties }) => properties?.[key]).filter((one) => one !== undefined);
      return own.length === 0 ? [`${path}.${key}`] : undescribed(inner, own[0], `${path}.${key}`);
    });
  }

  const MISSING_ID = "00000000-0000-4000-8000-000000000000";
  const UNREACHABLE = "http://127.0.0.1:1";

  test.each(CREATES)("openapi.json describes every response of $name", async (create: Create) => {
    const { name } = create;
    const isId = ([field]: [string, unknown]) => ["volume_id", "server_id", "cluster_id"].includes(field);
    const open = () => createFixture(create);
    const once = { "idempotency-key": "once" };

    const environment = await open();
    const created = expectDescribed(name, await environment.post({}, once));
    expect([created.status, expectDescribed(name, await environment.post({}, once)).status]).toEqual([
      create.status,
      create.status,
    ]);
    expect(expectDescribed(name, await environment.post({ description: "another" }, once)).body.error.reason).toBe(
      "Conflict",
    );
    expect(expectDescribed(name, await environment.http(apig({}))).status).toBe(400);
    expect(
      expectDescribed(name, await environment.http(apig(environment.body(), {}, { httpMethod: "GET" }))).status,
    ).toBe(405);
    const [[field = ""] = []] = Object.entries(environment.resource).filter(isId);
    const other = "name" in environment.resource ? { name: "another" } : {};
    expect(expectDescribed(name, await environment.post({ ...other, [field]: MISSING_ID })).status).toBe(404);
    const lost = { EVS_ENDPOINT: UNREACHABLE, DWS_ENDPOINT: UNREACHABLE };
    expect(expectDescribed(name, await environment.post({}, {}, { variables: lost })).status).toBe(504);
    expect(expectDescribed(name, await environment.post({}, {}, { variables: { PROJECT_ID: "a/b" } })).status).toBe(
      500,
    );

    const failing: [Any, number][] = [
      [{ type: "throttle", retryAfter: 60 }, 429],
      [{ type: "expiredToken" }, 502],
      [{ type: "answer", status: 413, body: JSON.stringify({ error: { code: "EVS.5413", message: "Quota." } }) }, 413],
    ];
    for (const [fault, status] of failing) {
      const { cloud, post } = await open();
      cloud.fault({ operation: create.operation }, fault);
      expect(expectDescribed(name, await post()).status).toBe(status);
    }
  });

  test("openapi.json describes every response of pre-deploy", async () => {
    const open = async () => {
      const environment = await createTestEnvironment();
      const disk = environment.cloud.addVolume().id;
      const gate = { deployment_id: "web-1.4.2", targets: [{ kind: "snapshot", volume_ids: [disk] }] };
      const post = async (body: object = {}, how: Parameters<TestEnvironment["invoke"]>[2] = {}, changes: Any = {}) =>
        expectDescribed(
          "pre-deploy",
          await environment.invoke(preDeploy, apig({ ...gate, ...body }, {}, changes), how),
        );
      return { ...environment, disk, post };
    };

    const environment = await open();
    expect((await environment.post()).body.status).toBe("pending");
    expect((await environment.post({ wait_seconds: 50 })).body.status).toBe("ready");
    expect((await environment.post({ wait_seconds: 51 })).status).toBe(400);
    expect((await environment.post({}, {}, { httpMethod: "PUT" })).status).toBe(405);
    const nothing = { deployment_id: "b", targets: [{ kind: "snapshot", tags: { backup: "dayly" } }] };
    expect((await environment.post(nothing)).status).toBe(404);
    environment.clock.advance(3 * 24 * 3_600_000);
    expect((await environment.post()).body.error.reason).toBe("Conflict");
    expect((await environment.post({}, { variables: { PROJECT_ID: "a/b" } })).status).toBe(500);

    const failed = await open();
    failed.cloud.endWith(failed.disk, "error");
    const { status, body } = await failed.post({ wait_seconds: 50 });
    expect([status, body.status, body.snapshots[0].error.reason]).toEqual([502, "failed", "SnapshotFailed"]);

    const tags = { targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    const lists: [Any, number][] = [
      [{ type: "throttle", retryAfter: 60 }, 429],
      [{ type: "expiredToken" }, 502],
      [{ type: "answer", status: 413, body: JSON.stringify({ error: { code: "EVS.5413", message: "Quota." } }) }, 413],
    ];
    for (const [fault, expected] of lists) {
      const { cloud, post } = await open();
      cloud.fault({ operation: "evs.listVolumes" }, fault);
      expect((await post(tags)).status).toBe(expected);
    }
    expect((await environment.post(tags, { variables: { EVS_ENDPOINT: UNREACHABLE } })).status).toBe(504);
  });

  test("openapi.json describes the requests and responses of create-snapshot on an older cloud", async () => {
    const environment = await createTestEnvironment({ evsLimits: "classic", variables: { EVS_LIMITS: "classic" } });
    const create = CREATES.find(({ name }) => name === "create-snapshot") as Create;
    const snapshot = { volume_id: environment.cloud.addVolume().id, name: "n".repeat(255), description: null };
    const { schema } = operation("create-snapshot").requestBody.content["application/json"]["x-evs-limits-classic"];
    for (const [body, status] of [
      [{ snapshot }, 202],
      [{ snapshot: { ...snapshot, name: "ü".repeat(128) } }, 400],
    ] as const) {
      expect(ajv.validate(schema, body)).toBe(status === 202);
      expect(expectDescribed("create-snapshot", await environment.invoke(create.factory, apig(body))).status).toBe(
        status,
      );
    }
    const missing = { snapshot: { volume_id: MISSING_ID } };
    expect(expectDescribed("create-snapshot", await environment.invoke(create.factory, apig(missing))).status).toBe(
      404,
    );
  });

  test("the functions accept every example of openapi.json", async () => {
    const seeds: Record<string, (cloud: EmbeddedCloud, body: Any) => void> = {
      "create-snapshot": (cloud, { snapshot }) => cloud.addVolume({ id: snapshot.volume_id }),
      "create-standard-snapshot": (cloud, { snapshot }) => cloud.addVolume({ id: snapshot.volume_id }),
      "create-snapshot-group": (cloud, { snapshot_group }) => {
        cloud.addServer({ id: snapshot_group.server_id });
        cloud.addVolume({ serverId: snapshot_group.server_id });
      },
      "create-cluster-snapshot": (cloud, { snapshot }) => cloud.addCluster({ id: snapshot.cluster_id }),
      "pre-deploy": (cloud, { targets }) => {
        cloud.addVolume({ id: targets[0].volume_ids[0] });
        const { id } = cloud.addServer({ tags: targets[1].tags });
        cloud.addVolume({ serverId: id });
        cloud.addCluster({ id: targets[2].cluster_ids[0] });
      },
    };
    for (const name of names) {
      const environment = await createTestEnvironment();
      const { example } = operation(name).requestBody.content["application/json"];
      seeds[name]?.(environment.cloud, example);
      const factory = CREATES.find((one) => one.name === name)?.factory ?? preDeploy;
      const { status, body } = expectDescribed(name, await environment.invoke(factory as Any, apig(example)));
      expect(status, name).toBe(Math.min(...Object.keys(operation(name).responses).map(Number).filter(Boolean)));
      // The example of the response has no field that the function does not return.
      const answer = operation(name).responses[status].content["application/json"].example;
      expect(Object.keys(body)).toEqual(expect.arrayContaining(Object.keys(answer)));
    }
  });

  test("openapi.json describes no status that these tests did not get", () => {
    for (const name of names) {
      const described = Object.keys(operation(name).responses).map(Number).filter(Boolean);
      expect([...(seen.get(name) ?? [])].sort(), name).toEqual(described.sort());
    }
  });
});

/** Compares infra/openapi.json with the responses of the functions. */
import { beforeAll, describe, expect, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { reportCoverage } from "../../functions/report-coverage/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { createFixture as createCoverageFixture, getRequest } from "../support/coverage-fixture.ts";
import { CREATES, type Create, createFixture } from "../support/creates.ts";
import { apig, createTestEnvironment, type Invoked, type TestEnvironment } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { type Any, ajv, expand, faultsAt, names, operation, placeOf, resolved } from "./openapi-document.ts";

describe("the responses of openapi.json", () => {
  useFixedDate();

  /** Maps each function to the HTTP statuses that it returned in these tests. */
  const seen = new Map<string, Set<number>>();
  beforeAll(() => seen.clear());

  /** Expects openapi.json to describe the status, headers and body of a response. Returns the status and the body. */
  function expectDescribed(name: string, { result }: Invoked): Any {
    const { statusCode, headers, body } = result;
    const value = JSON.parse(body);
    const response = resolved(operation(name).responses[statusCode]);
    expect(response, `${name} ${statusCode} ${body}`).toBeDefined();
    expect(faultsAt(placeOf(name, statusCode), value), `${name} ${statusCode} ${body}`).toEqual([]);
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

  /** Returns the path of each field in `value` that `schema` does not describe. */
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

  test.each(CREATES.map((create) => [create.name, create] as const))(
    "openapi.json describes every response of %s",
    async (name, create) => {
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
        [
          { type: "answer", status: 413, body: JSON.stringify({ error: { code: "EVS.5413", message: "Quota." } }) },
          413,
        ],
      ];
      for (const [fault, status] of failing) {
        const { cloud, post } = await open();
        cloud.fault({ operation: create.operation }, fault);
        expect(expectDescribed(name, await post()).status).toBe(status);
      }
    },
  );

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
    expect((await environment.post({ policy: "nightly" })).status).toBe(403);
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

  test("openapi.json describes every response of report-coverage", async () => {
    const name = "report-coverage";
    const { cloud, get, addDisk, invoke } = await createCoverageFixture();
    addDisk("disk", [{ hours: 2 }, { hours: 99, status: "error" }], { tags: { backup: "daily" } });
    addDisk("empty");
    const server = cloud.addServer();
    cloud.addVolume({ serverId: server.id });
    cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id });
    cloud.removeVolume(addDisk("gone", [{ hours: 2 }]).id);
    expect(expectDescribed(name, await get()).body.resources).toHaveLength(3);
    expect(expectDescribed(name, await get({ page: "2" })).body.resources).toEqual([]);
    for (const format of ["html", "csv"]) {
      const { result } = await get({ format });
      const { content, headers } = operation(name).responses[200];
      const [type] = result.headers["content-type"].split(";");
      expect([format, Object.keys(content).includes(type)]).toEqual([format, true]);
      const described = ["content-type", ...Object.keys(headers)];
      expect(Object.keys(result.headers).filter((header) => !described.includes(header))).toEqual([]);
    }
    expect(expectDescribed(name, await get({ page: "0" })).status).toBe(400);
    expect(expectDescribed(name, await invoke(reportCoverage, apig({}))).status).toBe(405);
    expect(expectDescribed(name, await get({}, {}, { variables: { PROJECT_ID: "a/b" } })).status).toBe(500);
    const lost = { EVS_ENDPOINT: UNREACHABLE, DWS_ENDPOINT: UNREACHABLE };
    expect(expectDescribed(name, await get({}, {}, { variables: lost })).status).toBe(504);
    for (const [fault, status] of [
      [{ type: "throttle", retryAfter: 60 }, 429],
      [{ type: "expiredToken" }, 502],
    ] as const) {
      cloud.fault({ operation: /list(Volumes|Clusters)/ }, fault);
      expect(expectDescribed(name, await get()).status).toBe(status);
      cloud.clearFaults();
    }
  });

  test("openapi.json describes the requests and responses of create-snapshot with EVS_LIMITS=classic", async () => {
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

  test("the functions accept every sample request in openapi.json", async () => {
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
      const { example } = operation(name).requestBody?.content["application/json"] ?? {};
      seeds[name]?.(environment.cloud, example);
      const camelCase = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      const { [camelCase]: factory } = await import(`../../functions/${name}/handler.ts`);
      const event = example === undefined ? getRequest() : apig(example);
      const { status, body } = expectDescribed(name, await environment.invoke(factory, event));
      expect(status, name).toBe(Math.min(...Object.keys(operation(name).responses).map(Number).filter(Boolean)));
      // The sample response in openapi.json contains only fields that the function returned.
      const sample = operation(name).responses[status].content["application/json"].example;
      expect(Object.keys(body)).toEqual(expect.arrayContaining(Object.keys(sample)));
    }
  });

  test("the functions return every HTTP status in openapi.json at least once in openapi-responses.test.ts", () => {
    for (const name of names) {
      const described = Object.keys(operation(name).responses).map(Number).filter(Boolean);
      expect([...(seen.get(name) ?? [])].sort(), name).toEqual(described.sort());
    }
  });
});

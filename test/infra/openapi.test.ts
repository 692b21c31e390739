/** Compares infra/openapi.json with the code, the linter and the Terraform module. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { openApiText } from "../../infra/openapi/document.ts";
import { REASONS } from "../../shared/core/errors.ts";
import { apig, createTestEnvironment } from "../support/environment.ts";
import {
  type Any,
  document,
  expand,
  faultsAt,
  methodOf,
  names,
  operation,
  PATH,
  placeOf,
  pointer,
  resolved,
  root,
} from "./openapi-document.ts";
import { planOf, sources } from "./terraform/plan.ts";

describe("openapi.json", () => {
  test("openapi.json is identical to the output of `npm run generate`", () => {
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

  test("the Redocly linter reports no problem in openapi.json", () => {
    expect(lint(PATH)).toEqual({ status: 0, problems: [] });
  });

  test.each<[string, (copy: Any) => void, RegExp]>([
    ["a $ref to a missing schema", (copy) => delete copy.components.schemas.PreDeploy, /no-unresolved-refs/],
    ["an operation without authentication", (copy) => delete copy.security, /security-defined/],
    ["a field that OpenAPI does not define", (copy) => Object.assign(copy.info, { licence: "MIT" }), /struct/],
    [
      "an example that is invalid by its schema",
      (copy) => {
        copy.paths["/create-snapshot"].post.requestBody.content["application/json"].example = { snapshot: {} };
      },
      /no-invalid-media-type-examples/,
    ],
  ])("the Redocly linter reports %s in a broken copy of openapi.json", (_what, spoil, found) => {
    const copy = structuredClone(document);
    spoil(copy);
    const folder = mkdtempSync(join(tmpdir(), "openapi-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "openapi.json"), JSON.stringify(copy));
    const { status, problems } = lint(join(folder, "openapi.json"));
    expect(status).toBe(1);
    expect(problems.join("\n")).toMatch(found);
  });

  test("openapi.json has the same paths, headers and authentication as the gateway in the Terraform module", async () => {
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
        // The gateway must pass to the function each header and each query parameter that openapi.json describes.
        const described = (operation(api.name).parameters ?? []).map(resolved);
        for (const { name, required = false } of described) {
          const location = described.find((one: Any) => one.name === name).in.toUpperCase();
          expect(api.request_params).toContainEqual({ name, location, required, passthrough: true });
        }
      }
    }
    expect(document.security).toEqual([...schemes].map((scheme) => ({ [scheme]: [] })));
    expect(Object.keys(document.components.securitySchemes)).toEqual([...schemes]);
  });

  test("openapi.json describes every error reason with its HTTP status and advice", () => {
    for (const name of names) {
      for (const [reason, { httpStatus, advice }] of Object.entries(REASONS)) {
        const isOfBody = [404, 409, 413].includes(httpStatus);
        // A GET request names no resource, so these errors cannot occur.
        if (isOfBody && methodOf(name) === "get") {
          expect(operation(name).responses[httpStatus]).toBeUndefined();
          continue;
        }
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

  test("every example in openapi.json is valid by its schema", () => {
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
  test.each(names.filter((name) => methodOf(name) === "get"))(
    "openapi.json describes the query parameters of %s with the schema by which the function validates them",
    async (name) => {
      const { query } = await import(`../../functions/${name}/schema.generated.js`);
      const parameters: Any[] = structuredClone(operation(name).parameters);
      expect(parameters.map((one) => one.name)).toEqual(Object.keys(query.properties));
      for (const { name: field, schema, in: place, description, required } of parameters) {
        const {
          type,
          additionalProperties: _,
          minProperties: __,
          propertyNames: ___,
          ...validated
        } = query.properties[field];
        if (validated.items?.pattern !== undefined) {
          // A comma divides the items of an array, so openapi.json does not allow a comma in an item.
          expect(schema.items.allOf).toEqual([{ pattern: "^[^,]*$", "x-expected": "a string without a comma" }]);
          delete schema.items.allOf;
        }
        expect({ place, required, schema }).toEqual({
          place: "query",
          required: undefined,
          schema: { ...validated, ...(type === undefined ? {} : { type: Array.isArray(type) ? "array" : type }) },
        });
        expect(description).toBeTruthy();
      }
    },
  );

  test.each(names.filter((name) => methodOf(name) === "post"))(
    "openapi.json describes the request body of %s with the schema by which the function validates it",
    async (name) => {
      const validated = await import(`../../functions/${name}/schema.generated.js`);
      const variant = String(Object.keys(validated).find((key) => key !== "classic"));
      const source = await import(`../../functions/${name}/schema.ts`);
      const described = expand(operation(name).requestBody.content["application/json"].schema);
      expect(withoutDescriptions(described)).toEqual(validated[variant]);
      expect(withoutDescriptions(described)).toEqual(JSON.parse(JSON.stringify(source[variant])));
    },
  );

  /**
   * Removes descriptions, defaults and the keywords that infra/openapi/standard-keywords.ts adds from a JSON schema. Keeps the schema
   * of a field whose name is `description`.
   */
  const withoutDescriptions = (value: Any): Any => {
    if (Array.isArray(value)) return value.map(withoutDescriptions);
    if (typeof value !== "object" || value === null) return value;
    if ("x-required-any-of" in value) delete value.anyOf;
    if ("x-unique-ids" in value) delete value.uniqueItems;
    if ("x-max-bytes" in value) delete value.maxLength;
    if ("make_room" in (value.properties ?? {})) {
      delete value.if;
      delete value.then;
    }
    const { description, default: _, ...others } = value;
    const kept = typeof description === "string" ? others : value;
    const { default: __, ...left } = kept;
    return Object.fromEntries(Object.entries(left).map(([key, inner]) => [key, withoutDescriptions(inner)]));
  };

  test("openapi.json describes each request field of pre-deploy and states the defaults that pre-deploy uses", async () => {
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

  test("openapi.json contains the request body schema of create-snapshot for EVS_LIMITS=classic", async () => {
    const { classic } = await import("../../functions/create-snapshot/schema.generated.js");
    const media = operation("create-snapshot").requestBody.content["application/json"];
    expect(media["x-evs-limits-classic"]).toEqual({ schema: classic });
    expect(operation("create-snapshot").description).toContain("EVS_LIMITS=classic");
  });
});

/** Compares infra/openapi.json, read without the `x-` keywords of this project, with the requests that the functions accept. */
import Ajv2020 from "ajv/dist/2020";
import { expect, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { readQuery } from "../../functions/report-coverage/query.ts";
import { addStandardKeywords } from "../../infra/openapi/standard-keywords.ts";
import { apig, createTestEnvironment } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { type Any, document, expand, operation } from "./openapi-document.ts";

useFixedDate();

const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";
const plain = new Ajv2020({ strict: false });
const bodySchema = (name: string) => operation(name).requestBody.content["application/json"].schema;
const accepts = (name: string, body: unknown) => plain.validate(expand(bodySchema(name)), body);

test.each<[string, string, unknown]>([
  ["a group without a server and without disks", "create-snapshot-group", { snapshot_group: { name: "a" } }],
  ["a group with the same disk twice", "create-snapshot-group", { snapshot_group: { volume_ids: [ID, ID] } }],
  [
    "a group with a name of 256 letters",
    "create-snapshot-group",
    { snapshot_group: { server_id: ID, name: "a".repeat(256) } },
  ],
  ["a target without ids and without tags", "pre-deploy", { deployment_id: "d", targets: [{ kind: "snapshot" }] }],
])("openapi.json rejects %s even without the x- keywords", (_what, name, body) => {
  expect(accepts(name, body)).toBe(false);
});

const DISK = { volume_ids: [ID] };
test.each<[string, object, boolean]>([
  ["without a retention", {}, false],
  ["with a retention without a rule", { retention: { min_keep: 1 } }, false],
  ["with a retention that keeps 0 snapshots", { retention: { keep_daily: 0, keep_last: 0 } }, false],
  ["with a retention and another policy", { retention: { keep_last: 1 }, policy: "nightly" }, false],
  ["with a retention", { retention: { keep_daily: 0, keep_last: 1 } }, true],
  ["with a retention and the default policy", { retention: { keep_yearly: 1 }, policy: "pre-deploy" }, true],
])("openapi.json and pre-deploy agree whether make_room %s is valid", async (_what, fields, isValid) => {
  const environment = await createTestEnvironment();
  environment.cloud.addVolume({ id: ID });
  const body = { deployment_id: "d", targets: [{ kind: "snapshot", ...DISK }], make_room: true, ...fields };
  const { result } = await environment.invoke(preDeploy, apig(body));
  expect([accepts("pre-deploy", body), result.statusCode !== 400]).toEqual([isValid, isValid]);
});

test("openapi.json allows every retention in a request to pre-deploy without make_room", () => {
  const body = { deployment_id: "d", targets: [{ kind: "snapshot", ...DISK }], policy: "nightly" };
  for (const retention of [{}, { min_keep: 1 }, { keep_last: 0 }]) {
    expect(accepts("pre-deploy", { ...body, make_room: false, retention })).toBe(true);
  }
});

test.each<[string, boolean]>([
  ["backup=daily", true],
  [" backup=daily ", true],
  ["backup=", true],
  ["=daily", false],
  [" =daily", false],
  ["backup", false],
  ["backup=a,b", false],
])("openapi.json and report-coverage agree whether the tag '%s' is valid", (tag, isValid) => {
  const { schema } = operation("report-coverage").parameters.find(({ name }: Any) => name === "tags");
  expect(plain.validate(schema, [tag])).toBe(isValid);
  const read = () => readQuery({ tags: tag }, "http");
  if (isValid) read();
  else expect(read).toThrow("tags[");
});

test("openapi.json has the standard keywords beside every x- keyword of a request body", () => {
  const { schemas } = document.components;
  expect(addStandardKeywords(schemas)).toEqual(schemas);
  expect(JSON.stringify(schemas)).toContain('"uniqueItems":true');
});

/** Tests create responses that contradict the API documents. */
import { describe, expect, test } from "vitest";
import type { HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
import {
  byName,
  CLUSTER,
  CREATES,
  type Create,
  type CreateFixture,
  createFixture,
  creates,
  GROUP,
  replaceCreateResponses,
  SNAPSHOT,
  STANDARD,
} from "../support/creates.ts";
import { type Json, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

type Change = (response: HttpResponse, body: Json) => Partial<HttpResponse>;

const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";

/** Lets the embedded cloud execute create requests, and applies `change` to the first `times` create responses. */
const changeResponses = (fixture: CreateFixture, change: Change, times = 1) =>
  replaceCreateResponses(fixture, times, async (send) => {
    const response = await send();
    return { ...response, ...change(response, JSON.parse(response.text)) };
  });

/** Responds to the first `times` create requests without executing them. Applies `change` to a valid create response. */
const changeResponsesWithoutCreating = (fixture: CreateFixture, change: Change, times = 10) =>
  replaceCreateResponses(fixture, times, async () => {
    const body = { snapshot: { id: ID, status: "creating" }, snapshot_id: ID, snapshot_group_id: ID };
    const response = { status: 202, headers: {}, text: JSON.stringify(body) };
    return { ...response, ...change(response, body) };
  });

const withBody = (body: unknown) => ({ text: JSON.stringify(body) });
const withSnapshot = (body: Json, fields: Json) =>
  withBody({ ...body, snapshot: { ...(body.snapshot as Json), ...fields } });

/** Replaces the snapshot id in a create response body. The field that contains the id depends on the function. */
function withId(create: Create, body: Json, id: unknown) {
  if (create === STANDARD) return withBody({ ...body, snapshot_id: id });
  if (create === GROUP) return withBody({ ...body, snapshot_group_id: id });
  return withSnapshot(body, { id });
}

const LOGIN_PAGE = "<html><body>Please log in</body></html>";
const INVALID_IDS: readonly [what: string, id: unknown][] = [
  ["null", null],
  ["an empty string", ""],
  ["the number 7", 7],
  ["an empty object", {}],
  ["an empty array", []],
  ["the boolean true", true],
  ['the string "null"', "null"],
  ['the string "undefined"', "undefined"],
  ['the string "0"', "0"],
  ["the UUID that consists of zeros", "00000000-0000-0000-0000-000000000000"],
  ['the string "not-an-id"', "not-an-id"],
  ["the path ../../x", "../../x"],
  ["a string with a space", "a b"],
  ["a string of 60,000 characters", "x".repeat(60_000)],
];
const INVALID_RESPONSES: [response: string, changeFor: (create: Create) => Change][] = [
  ["is a 302 redirect", () => () => ({ status: 302, headers: { location: "http://127.0.0.1:1/" }, text: "" })],
  ["is a 303 redirect", () => () => ({ status: 303, headers: { location: "/elsewhere" }, text: "" })],
  ["is a 307 redirect", () => () => ({ status: 307, headers: { location: "/elsewhere" }, text: "" })],
  ["is a login page with the status 200", () => () => ({ status: 200, text: LOGIN_PAGE })],
  ["is a 403 HTML page of a proxy", () => () => ({ status: 403, text: LOGIN_PAGE })],
  ["is a 404 HTML page of a proxy", () => () => ({ status: 404, text: LOGIN_PAGE })],
  ["is an empty 413 response of a proxy", () => () => ({ status: 413, text: "" })],
  [
    "is a 499 response with the error code 499",
    () => () => ({ status: 499, ...withBody({ code: 499, message: "closed" }) }),
  ],
  ["is a 400 response with the error code 400", () => () => ({ status: 400, ...withBody({ error: { code: "400" } }) })],
  ["is a 204 response without a body", () => () => ({ status: 204, text: "" })],
  ["has the body null", () => () => withBody(null)],
  ["has an array as its body", () => () => withBody([])],
  ["has an empty object as its body", () => () => withBody({})],
  ...INVALID_IDS.map(([what, id]): (typeof INVALID_RESPONSES)[number] => [
    `contains ${what} as the snapshot id`,
    (create) => (_, body) => withId(create, body, id),
  ]),
  ...Object.entries<Json>({
    "an error code of EVS": { error_code: "EVS.2024", error_msg: "no" },
    "an error code of the API gateway": { code: "APIGW.0308", message: "no" },
    "an error object": { error: { code: "EVS.5500", message: "no" } },
    "an error object without a code": { error: { message: "no" } },
    "an error object whose code is a number": { error: { code: 500 } },
    "a string as its error": { error: "no" },
  }).map(([error, fields]): (typeof INVALID_RESPONSES)[number] => [
    `contains both a snapshot id and ${error}`,
    () => (_, body) => withBody({ ...body, ...fields }),
  ]),
  [
    "names a different disk, server or cluster than the request",
    ({ envelope }) =>
      (_, body) =>
        withBody({
          ...body,
          [envelope]: { ...Object(body[envelope]), volume_id: "0", server_id: "0", cluster_id: "0" },
        }),
  ],
];

describe.each(byName(CREATES))("%s", (_name, create) => {
  test.each(INVALID_RESPONSES)(
    `if the service executes the create request but the create response %s, ${create.name} reports the new snapshot and creates no other snapshot`,
    async (_response, changeFor) => {
      const fixture = await createFixture(create);
      changeResponses(fixture, changeFor(create), 10);
      const invoked = await fixture.post();
      const [made, ...others] = fixture.snapshots();
      expect(others).toEqual([]);
      expect(outcomes(invoked)).toEqual(["create accepted", "run done"]);
      expect(invoked.records[0].snapshot_id).toBe(made?.id);
      expect(creates(fixture)).toHaveLength(1);
    },
  );

  test.each(INVALID_RESPONSES)(
    `${create.name} fails if the service executes no create request and every create response %s`,
    async (_response, changeFor) => {
      const fixture = await createFixture(create);
      changeResponsesWithoutCreating(fixture, changeFor(create));
      const invoked = await fixture.post();
      expect(fixture.snapshots()).toEqual([]);
      expect(invoked.result.statusCode).toBeGreaterThanOrEqual(400);
      expect(outcomes(invoked)).toEqual(["create failed", "run failed"]);
    },
  );

  test.each(INVALID_RESPONSES)(
    `if the service does not execute the first create request and the first response %s, ${create.name} creates one snapshot or reports a failure`,
    async (_response, changeFor) => {
      const fixture = await createFixture(create);
      changeResponsesWithoutCreating(fixture, changeFor(create), 1);
      const { result, records } = await fixture.post();
      const [made, ...others] = fixture.snapshots();
      expect(others).toEqual([]);
      expect(result.statusCode < 300).toBe(made !== undefined);
      expect(records[0].outcome).toBe(made === undefined ? "failed" : "accepted");
    },
  );

  test(`${create.name} fails if every create response contains the id of the disk, server or cluster in place of a snapshot id`, async () => {
    const fixture = await createFixture(create);
    changeResponsesWithoutCreating(fixture, (_, body) => withId(create, body, fixture.resourceId));
    expect(outcomes(await fixture.post())).toEqual(["create failed", "run failed"]);
  });
});

const isNested = (create: Create) => create === SNAPSHOT || create === CLUSTER;
/** Replaces the snapshot status in a create response body. */
const withStatus = (create: Create, body: Json, status: unknown) =>
  isNested(create) ? withSnapshot(body, { status }) : withBody({ ...body, status });

test.each([
  ...["error", "ERROR"].map((status) => [SNAPSHOT.name, status, SNAPSHOT] as const),
  ...[STANDARD, GROUP].flatMap((create) =>
    ["error", "ERROR", "error_deleting"].map((status) => [create.name, status, create] as const),
  ),
  [CLUSTER.name, "UNAVAILABLE", CLUSTER] as const,
])(
  "%s fails with SnapshotFailed if the create response contains the snapshot status %j",
  async (_name, status, create) => {
    const fixture = await createFixture(create);
    changeResponses(fixture, (_, body) => withStatus(create, body, status));
    const { result, records } = await fixture.post();
    expect(result.statusCode).toBe(502);
    expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "SnapshotFailed" } });
    expect(creates(fixture)).toHaveLength(1);
  },
);

describe.each(byName(CREATES.filter(isNested)))(
  '%s, whose create response has the field "snapshot"',
  (_name, create) => {
    test.each<[error: string, fields: Json]>([
      ["an error code of EVS", { error_code: "EVS.2024", error_msg: "no" }],
      ["an error code of the API gateway", { code: "APIGW.0308", message: "no" }],
      ["an error object", { error: { message: "no" } }],
    ])(`${create.name} fails if the field "snapshot" of every create response contains %s`, async (_error, fields) => {
      const fixture = await createFixture(create);
      changeResponsesWithoutCreating(fixture, (_, body) => withSnapshot(body, fields));
      expect(outcomes(await fixture.post())).toEqual(["create failed", "run failed"]);
    });

    test(`${create.name} accepts a create response whose error fields are empty`, async () => {
      const fixture = await createFixture(create);
      changeResponses(fixture, (_, body) => withBody({ ...body, error: { code: null, message: "" }, error_msg: "" }));
      expect((await fixture.post()).records[0]).toMatchObject({ outcome: "accepted" });
    });
  },
);

describe.each(byName([STANDARD, GROUP]))("%s, whose create response has no field snapshot", (_name, create) => {
  test(`${create.name} fails if every create response names a different disk or server than the request`, async () => {
    const fixture = await createFixture(create);
    const ids = { snapshot: undefined, volume_id: ID, server_id: ID };
    changeResponsesWithoutCreating(fixture, (_, body) => withBody({ ...body, ...ids }));
    expect(outcomes(await fixture.post())).toEqual(["create failed", "run failed"]);
  });

  test(`${create.name} accepts a create response that contains the HTTP status 202 in the field "status"`, async () => {
    const fixture = await createFixture(create);
    changeResponses(fixture, (_, body) => withBody({ ...body, status: 202 }));
    expect((await fixture.post()).records[0]).toMatchObject({ outcome: "accepted" });
  });
});

test('create-snapshot reports the outcome "unverified" if the create response contains an undocumented snapshot status', async () => {
  const fixture = await createFixture(SNAPSHOT);
  changeResponses(fixture, (_, body) => withSnapshot(body, { status: "frozen" }));
  expect((await fixture.post()).records[0]).toMatchObject({ outcome: "unverified", level: "warn" });
});

test("create-snapshot accepts a create response that starts with a byte order mark", async () => {
  const fixture = await createFixture(SNAPSHOT);
  changeResponses(fixture, ({ text }) => ({ text: `\ufeff${text}` }));
  const { result, records } = await fixture.post();
  expect(records[0]).toMatchObject({ outcome: "accepted" });
  expect(JSON.parse(result.body).snapshot.id).toBe(records[0].snapshot_id);
});

test.each(["extending", "backing-up", "detaching", "uploading", "retyping"])(
  "create-snapshot waits and retries if EVS rejects the create request while the disk has the status %j",
  async (status) => {
    const fixture = await createFixture(SNAPSHOT);
    const message = `Invalid volume: Volume status must be available or in-use, but current status is: ${status}.`;
    replaceCreateResponses(fixture, 1, async () => ({
      status: 400,
      headers: {},
      text: JSON.stringify({ error: { code: "EVS.2024", message } }),
    }));
    expect((await fixture.post()).records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
  },
);

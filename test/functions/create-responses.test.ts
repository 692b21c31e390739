/** Tests how the four create functions handle responses that no document describes. */
import { describe, expect, test } from "vitest";
import type { HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
import {
  CLUSTER,
  CREATES,
  type Create,
  type CreateFixture,
  createFixture,
  creates,
  GROUP,
  SNAPSHOT,
  STANDARD,
} from "../support/creates.ts";
import { type Json, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

/**
 * Replaces the cloud's responses to creates.
 *
 * @param done whether the cloud executes the create
 */
function respond(
  fixture: CreateFixture,
  done: boolean,
  change: (response: HttpResponse, body: Json) => Partial<HttpResponse>,
  times = 1,
) {
  const { transport } = fixture.runtime;
  let left = times;
  fixture.runtime.transport = async (request) => {
    if (request.method !== "POST" || request.url.pathname.includes("/lts/") || left === 0) return transport(request);
    left -= 1;
    const id = "5aa119a8-d25b-45a7-8d1b-88e127885635";
    const text = JSON.stringify({ snapshot: { id, status: "creating" }, snapshot_id: id, snapshot_group_id: id });
    const response = done ? await transport(request) : { status: 202, headers: {}, text };
    return { ...response, ...change(response, JSON.parse(response.text)) };
  };
}

const withBody = (body: unknown) => ({ text: JSON.stringify(body) });

/** Sets the id of the new snapshot in the response to a create. Each kind has the id in another field. */
function withId(create: Create, body: Json, id: unknown): Json {
  if (create === STANDARD) return { ...body, snapshot_id: id };
  if (create === GROUP) return { ...body, snapshot_group_id: id };
  return { ...body, snapshot: { ...(body.snapshot as Json), id } };
}

type Change = (create: Create) => (response: HttpResponse, body: Json) => Partial<HttpResponse>;

const page = "<html><body>Please log in</body></html>";
const ODD: [what: string, change: Change][] = [
  ["a 302 redirect", () => () => ({ status: 302, headers: { location: "http://127.0.0.1:1/" }, text: "" })],
  ["a 303 redirect", () => () => ({ status: 303, headers: { location: "/elsewhere" }, text: "" })],
  ["a 307 redirect", () => () => ({ status: 307, headers: { location: "/elsewhere" }, text: "" })],
  ["a login page with the status 200", () => () => ({ status: 200, text: page })],
  ["a proxy's 403 page", () => () => ({ status: 403, text: page })],
  ["a proxy's 404 page", () => () => ({ status: 404, text: page })],
  ["a proxy's empty 413", () => () => ({ status: 413, text: "" })],
  [
    "a proxy's 499 whose code is the status",
    () => () => ({ status: 499, ...withBody({ code: 499, message: "closed" }) }),
  ],
  ["a proxy's 400 whose code is the status", () => () => ({ status: 400, ...withBody({ error: { code: "400" } }) })],
  ["an empty 204", () => () => ({ status: 204, text: "" })],
  ["null", () => () => withBody(null)],
  ["an array", () => () => withBody([])],
  ["an empty object", () => () => withBody({})],
  ...(
    [
      null,
      "",
      7,
      {},
      [],
      true,
      "null",
      "undefined",
      "0",
      "00000000-0000-0000-0000-000000000000",
      "not-an-id",
      "../../x",
      "a b",
      "x".repeat(60_000),
    ] as const
  ).map((id): [string, Change] => [
    `the id ${JSON.stringify(id).slice(0, 20)}`,
    (create) => (_, body) => withBody(withId(create, body, id)),
  ]),
  [
    "an id with an error code of EVS",
    () => (_, body) => withBody({ ...body, error_code: "EVS.2024", error_msg: "no" }),
  ],
  [
    "an id with an error code of the gateway",
    () => (_, body) => withBody({ ...body, code: "APIGW.0308", message: "no" }),
  ],
  ["an id with an error", () => (_, body) => withBody({ ...body, error: { code: "EVS.5500", message: "no" } })],
  ["an id with an error without a code", () => (_, body) => withBody({ ...body, error: { message: "no" } })],
  ["an id with an error that has a number as its code", () => (_, body) => withBody({ ...body, error: { code: 500 } })],
  ["an id with an error that is a string", () => (_, body) => withBody({ ...body, error: "no" })],
  [
    "another disk or cluster",
    ({ envelope }) =>
      (_, body) =>
        withBody({
          ...body,
          [envelope]: { ...Object(body[envelope]), volume_id: "0", server_id: "0", cluster_id: "0" },
        }),
  ],
];

describe.each(CREATES)("$name", (create) => {
  test.each(ODD)(
    `${create.name} creates one snapshot and reports it if the cloud creates it and responds with %s`,
    async (_what, change) => {
      const fixture = await createFixture(create);
      respond(fixture, true, change(create), 10);
      const { records } = await fixture.post();
      const [made, ...others] = fixture.cloud.snapshots(create.kind);
      expect(others).toEqual([]);
      expect(outcomes({ records })).toEqual(["create accepted", "run done"]);
      expect(records[0].snapshot_id).toBe(made?.id);
      expect(creates(fixture)).toHaveLength(1);
    },
  );

  test.each(ODD)(
    `${create.name} reports no snapshot if the cloud creates none and responds with %s`,
    async (_what, change) => {
      const fixture = await createFixture(create);
      respond(fixture, false, change(create), 10);
      const { result, records } = await fixture.post();
      expect(fixture.cloud.snapshots(create.kind)).toEqual([]);
      expect(result.statusCode).toBeGreaterThanOrEqual(400);
      expect(outcomes({ records })).toEqual(["create failed", "run failed"]);
    },
  );

  test.each(ODD)(
    `${create.name} repeats the create or reports a failure if the cloud creates nothing and responds once with %s`,
    async (_what, change) => {
      const fixture = await createFixture(create);
      respond(fixture, false, change(create));
      const { result, records } = await fixture.post();
      const [made, ...others] = fixture.cloud.snapshots(create.kind);
      expect(others).toEqual([]);
      expect(result.statusCode < 300).toBe(made !== undefined);
      expect(records[0].outcome).toBe(made === undefined ? "failed" : "accepted");
    },
  );
});

describe.each([SNAPSHOT, CLUSTER])("$name", (create) => {
  test.each(["error", "ERROR"])(
    `${create.name} fails if the response has the new snapshot in the status %s`,
    async (status) => {
      const fixture = await createFixture(create);
      respond(fixture, true, (_, body) =>
        withBody({
          ...body,
          snapshot: { ...(body.snapshot as Json), status: create === CLUSTER ? "UNAVAILABLE" : status },
        }),
      );
      const { result, records } = await fixture.post();
      expect(result.statusCode).toBe(502);
      expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "SnapshotFailed" } });
      expect(creates(fixture)).toHaveLength(1);
    },
  );
});

describe.each([SNAPSHOT, CLUSTER])("$name", (create) => {
  test.each<[what: string, fault: Json]>([
    ["a code of EVS", { error_code: "EVS.2024", error_msg: "no" }],
    ["a code of the gateway", { code: "APIGW.0308", message: "no" }],
    ["an error", { error: { message: "no" } }],
  ])(`${create.name} looks for the snapshot if the snapshot in the response contains %s`, async (_what, fault) => {
    const fixture = await createFixture(create);
    respond(fixture, false, (_, body) => withBody({ ...body, snapshot: { ...(body.snapshot as Json), ...fault } }), 10);
    const { records } = await fixture.post();
    expect(outcomes({ records })).toEqual(["create failed", "run failed"]);
  });

  test(`${create.name} accepts a response whose error field is empty`, async () => {
    const fixture = await createFixture(create);
    respond(fixture, true, (_, body) => withBody({ ...body, error: { code: null, message: "" }, error_msg: "" }));
    expect((await fixture.post()).records[0]).toMatchObject({ outcome: "accepted" });
  });
});

describe.each([STANDARD, GROUP])("$name, which has a flat response", (create) => {
  test.each(["error", "ERROR", "error_deleting"])(
    `${create.name} fails if the response has the status %s`,
    async (status) => {
      const fixture = await createFixture(create);
      respond(fixture, true, (_, body) => withBody({ ...body, status }));
      const { result, records } = await fixture.post();
      expect(result.statusCode).toBe(502);
      expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "SnapshotFailed" } });
      expect(creates(fixture)).toHaveLength(1);
    },
  );

  test(`${create.name} looks for the snapshot if the response names another disk or server`, async () => {
    const fixture = await createFixture(create);
    const id = "5aa119a8-d25b-45a7-8d1b-88e127885635";
    respond(fixture, false, (_, body) => withBody({ ...body, snapshot: undefined, volume_id: id, server_id: id }), 10);
    const { records } = await fixture.post();
    expect(outcomes({ records })).toEqual(["create failed", "run failed"]);
  });

  test(`${create.name} accepts a response that repeats the HTTP status as a number`, async () => {
    const fixture = await createFixture(create);
    respond(fixture, true, (_, body) => withBody({ ...body, status: 202 }));
    expect((await fixture.post()).records[0]).toMatchObject({ outcome: "accepted" });
  });
});

describe.each(CREATES)("$name", (create) => {
  test(`${create.name} does not accept the id of the disk, server or cluster as the id of the snapshot`, async () => {
    const fixture = await createFixture(create);
    respond(fixture, false, (_, body) => withBody(withId(create, body, fixture.resourceId)), 10);
    const { records } = await fixture.post();
    expect(outcomes({ records })).toEqual(["create failed", "run failed"]);
  });
});

test("create-snapshot reports a snapshot in an undocumented status as unverified", async () => {
  const fixture = await createFixture(SNAPSHOT);
  respond(fixture, true, (_, body) =>
    withBody({ ...body, snapshot: { ...(body.snapshot as Json), status: "frozen" } }),
  );
  const { records } = await fixture.post();
  expect(records[0]).toMatchObject({ outcome: "unverified", level: "warn" });
});

test("create-snapshot accepts a response with a byte order mark", async () => {
  const fixture = await createFixture(SNAPSHOT);
  respond(fixture, true, ({ text }) => ({ text: `\ufeff${text}` }));
  const { result, records } = await fixture.post();
  expect(records[0]).toMatchObject({ outcome: "accepted" });
  expect(JSON.parse(result.body).snapshot.id).toBe(records[0].snapshot_id);
});

test.each(["extending", "backing-up", "detaching", "uploading", "retyping"])(
  "create-snapshot waits while the disk is %s and then creates the snapshot",
  async (status) => {
    const fixture = await createFixture(SNAPSHOT);
    const message = `Invalid volume: Volume status must be available or in-use, but current status is: ${status}.`;
    const { transport } = fixture.runtime;
    let refusals = 1;
    fixture.runtime.transport = async (request) => {
      if (request.method !== "POST" || request.url.pathname.includes("/lts/") || refusals === 0)
        return transport(request);
      refusals -= 1;
      return { status: 400, headers: {}, text: JSON.stringify({ error: { code: "EVS.2024", message } }) };
    };
    const { records } = await fixture.post();
    expect(records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
  },
);

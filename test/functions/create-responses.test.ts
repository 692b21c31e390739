/** Tests how the four create functions handle responses that no document describes. */
import { describe, expect, test } from "vitest";
import type { HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
import {
  CLUSTER,
  CREATES,
  type Create,
  creates,
  GROUP,
  onTheSitesDay,
  SNAPSHOT,
  STANDARD,
  stage,
} from "../support/creates.ts";

onTheSitesDay();

type Stage = Awaited<ReturnType<typeof stage>>;
type Json = Record<string, unknown>;

/**
 * Replaces the cloud's responses to creates.
 *
 * @param done whether the cloud carries out the create
 */
function respond(
  site: Stage,
  done: boolean,
  change: (answer: HttpResponse, body: Json) => Partial<HttpResponse>,
  times = 1,
) {
  const { transport } = site.runtime;
  let left = times;
  site.runtime.transport = async (request) => {
    if (request.method !== "POST" || request.url.pathname.includes("/lts/") || left === 0) return transport(request);
    left -= 1;
    const id = "5aa119a8-d25b-45a7-8d1b-88e127885635";
    const text = JSON.stringify({ snapshot: { id, status: "creating" }, snapshot_id: id, snapshot_group_id: id });
    const answer = done ? await transport(request) : { status: 202, headers: {}, text };
    return { ...answer, ...change(answer, JSON.parse(answer.text)) };
  };
}

const withBody = (body: unknown) => ({ text: JSON.stringify(body) });

/** Sets the id of the new snapshot in the response to a create. Each kind has the id in another field. */
function withId(create: Create, body: Json, id: unknown): Json {
  if (create === STANDARD) return { ...body, snapshot_id: id };
  if (create === GROUP) return { ...body, snapshot_group_id: id };
  return { ...body, snapshot: { ...(body.snapshot as Json), id } };
}

type Change = (create: Create) => (answer: HttpResponse, body: Json) => Partial<HttpResponse>;

const page = "<html><body>Please log in</body></html>";
const ODD: [what: string, change: Change][] = [
  ["a redirect 302", () => () => ({ status: 302, headers: { location: "http://127.0.0.1:1/" }, text: "" })],
  ["a redirect 303", () => () => ({ status: 303, headers: { location: "/elsewhere" }, text: "" })],
  ["a redirect 307", () => () => ({ status: 307, headers: { location: "/elsewhere" }, text: "" })],
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
  ["an object that is empty", () => () => withBody({})],
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
  ["a code of EVS beside the id", () => (_, body) => withBody({ ...body, error_code: "EVS.2024", error_msg: "no" })],
  ["a code of the gateway beside the id", () => (_, body) => withBody({ ...body, code: "APIGW.0308", message: "no" })],
  ["an error beside the id", () => (_, body) => withBody({ ...body, error: { code: "EVS.5500", message: "no" } })],
  ["an error without a code beside the id", () => (_, body) => withBody({ ...body, error: { message: "no" } })],
  ["an error that has a number alone beside the id", () => (_, body) => withBody({ ...body, error: { code: 500 } })],
  ["an error that is a string beside the id", () => (_, body) => withBody({ ...body, error: "no" })],
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
    "makes one snapshot and reports it when the create was carried out and the response is %s",
    async (_what, change) => {
      const site = await stage(create);
      respond(site, true, change(create), 10);
      const { records } = await site.post();
      const [made, ...others] = site.cloud.snapshots(create.kind);
      expect(others).toEqual([]);
      expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(["create accepted", "run done"]);
      expect(records[0].snapshot_id).toBe(made?.id);
      expect(creates(site)).toHaveLength(1);
    },
  );

  test.each(ODD)(
    "never reports a snapshot that does not exist when nothing was done and the response is %s",
    async (_what, change) => {
      const site = await stage(create);
      respond(site, false, change(create), 10);
      const { result, records } = await site.post();
      expect(site.cloud.snapshots(create.kind)).toEqual([]);
      expect(result.statusCode).toBeGreaterThanOrEqual(400);
      expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(["create failed", "run failed"]);
    },
  );

  test.each(ODD)(
    "repeats a create that was not carried out, or says why not, when the first response is %s",
    async (_what, change) => {
      const site = await stage(create);
      respond(site, false, change(create));
      const { result, records } = await site.post();
      const [made, ...others] = site.cloud.snapshots(create.kind);
      expect(others).toEqual([]);
      expect(result.statusCode < 300).toBe(made !== undefined);
      expect(records[0].outcome).toBe(made === undefined ? "failed" : "accepted");
    },
  );
});

describe.each([SNAPSHOT, CLUSTER])("$name", (create) => {
  test.each(["error", "ERROR"])(
    "$name fails if the response shows the new snapshot in the status %s",
    async (status) => {
      const site = await stage(create);
      respond(site, true, (_, body) =>
        withBody({
          ...body,
          snapshot: { ...(body.snapshot as Json), status: create === CLUSTER ? "UNAVAILABLE" : status },
        }),
      );
      const { result, records } = await site.post();
      expect(result.statusCode).toBe(502);
      expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "SnapshotFailed" } });
      expect(creates(site)).toHaveLength(1);
    },
  );
});

describe.each([SNAPSHOT, CLUSTER])("$name", (create) => {
  test.each<[what: string, fault: Json]>([
    ["a code of EVS", { error_code: "EVS.2024", error_msg: "no" }],
    ["a code of the gateway", { code: "APIGW.0308", message: "no" }],
    ["an error", { error: { message: "no" } }],
  ])("looks for the snapshot if the response has %s inside the snapshot", async (_what, fault) => {
    const site = await stage(create);
    respond(site, false, (_, body) => withBody({ ...body, snapshot: { ...(body.snapshot as Json), ...fault } }), 10);
    const { records } = await site.post();
    expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(["create failed", "run failed"]);
  });

  test("accepts a response whose field for an error is empty", async () => {
    const site = await stage(create);
    respond(site, true, (_, body) => withBody({ ...body, error: { code: null, message: "" }, error_msg: "" }));
    expect((await site.post()).records[0]).toMatchObject({ outcome: "accepted" });
  });
});

describe.each([STANDARD, GROUP])("$name, whose response has no object around its fields", (create) => {
  test.each(["error", "ERROR", "error_deleting"])(
    "fails a snapshot that the response gives in the status %s",
    async (status) => {
      const site = await stage(create);
      respond(site, true, (_, body) => withBody({ ...body, status }));
      const { result, records } = await site.post();
      expect(result.statusCode).toBe(502);
      expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "SnapshotFailed" } });
      expect(creates(site)).toHaveLength(1);
    },
  );

  test("looks for the snapshot if the response is about another disk or server", async () => {
    const site = await stage(create);
    const id = "5aa119a8-d25b-45a7-8d1b-88e127885635";
    respond(site, false, (_, body) => withBody({ ...body, snapshot: undefined, volume_id: id, server_id: id }), 10);
    const { records } = await site.post();
    expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(["create failed", "run failed"]);
  });

  test("accepts a response that gives the HTTP status as a number", async () => {
    const site = await stage(create);
    respond(site, true, (_, body) => withBody({ ...body, status: 202 }));
    expect((await site.post()).records[0]).toMatchObject({ outcome: "accepted" });
  });
});

describe.each(CREATES)("$name", (create) => {
  test("does not take the id of the disk, server or cluster for that of the snapshot", async () => {
    const site = await stage(create);
    const { volume_id, server_id, cluster_id } = site.resource;
    respond(site, false, (_, body) => withBody(withId(create, body, volume_id ?? server_id ?? cluster_id)), 10);
    const { records } = await site.post();
    expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(["create failed", "run failed"]);
  });
});

test("create-snapshot does not report success for a response in a status that no document names", async () => {
  const site = await stage(SNAPSHOT);
  respond(site, true, (_, body) => withBody({ ...body, snapshot: { ...(body.snapshot as Json), status: "frozen" } }));
  const { records } = await site.post();
  expect(records[0]).toMatchObject({ outcome: "unverified", level: "warn" });
});

test("create-snapshot accepts a response with a byte order mark", async () => {
  const site = await stage(SNAPSHOT);
  respond(site, true, ({ text }) => ({ text: `\ufeff${text}` }));
  const { result, records } = await site.post();
  expect(records[0]).toMatchObject({ outcome: "accepted" });
  expect(JSON.parse(result.body).snapshot.id).toBe(records[0].snapshot_id);
});

test.each(["extending", "backing-up", "detaching", "uploading", "retyping"])(
  "create-snapshot waits for a disk that is %s for a moment and then takes its snapshot",
  async (status) => {
    const site = await stage(SNAPSHOT);
    const message = `Invalid volume: Volume status must be available or in-use, but current status is: ${status}.`;
    const { transport } = site.runtime;
    let refusals = 1;
    site.runtime.transport = async (request) => {
      if (request.method !== "POST" || request.url.pathname.includes("/lts/") || refusals === 0)
        return transport(request);
      refusals -= 1;
      return { status: 400, headers: {}, text: JSON.stringify({ error: { code: "EVS.2024", message } }) };
    };
    const { records } = await site.post();
    expect(records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
  },
);

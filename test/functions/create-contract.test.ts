/** The five API documents, word for word: what goes in, what goes out, what is in the cloud afterwards. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import {
  CLUSTER,
  CREATES,
  type Create,
  creates,
  errorOf,
  GROUP,
  onTheSitesDay,
  outcomes,
  SNAPSHOT,
  STANDARD,
  stage,
} from "../support/creates.ts";
import { apig, createTestEnvironment } from "../support/environment.ts";

onTheSitesDay();

interface Document {
  seed: string;
  create: Create;
  variables?: Record<string, string>;
  evsLimits?: "classic";
  estate(cloud: EmbeddedCloud): unknown;
  /** The document's example, with its spacing. */
  request: string;
  answer: string;
}

const DISK = "5aa119a8-d25b-45a7-8d1b-88e127885635";

const DOCUMENTS: Document[] = [
  {
    seed: "000",
    create: STANDARD,
    estate: (cloud) => cloud.addVolume({ id: "2c194dde-7de5-4529-a141-49f48181f411" }),
    request: `{
  "snapshot" : {
    "volume_id" : "2c194dde-7de5-4529-a141-49f48181f411",
    "name" : "test_name",
    "description" : "test description",
    "enterprise_project_id" : "94f1ea84-1428-49b6-9920-8a9b8a29e4ca"
  }
}`,
    answer: `{
  "job_id" : "ee62a0c1e79c4e11be5adc17a49f69ef",
  "snapshot_id" : "bb02c803-55ac-4e84-9c80-60d352199d7d"
}`,
  },
  {
    seed: "001",
    create: SNAPSHOT,
    estate: (cloud) => cloud.addVolume({ id: DISK }),
    request: `{
  "snapshot" : {
    "name" : "snap-001",
    "description" : "Daily backup",
    "volume_id" : "5aa119a8-d25b-45a7-8d1b-88e127885635",
    "force" : false,
    "metadata" : {
      "key_string" : "value_string"
    }
  }
}`,
    answer: `{
  "snapshot" : {
    "status" : "creating",
    "description" : "Daily backup",
    "created_at" : "2013-02-25T03:56:53.081642",
    "metadata" : { },
    "volume_id" : "5aa119a8-d25b-45a7-8d1b-88e127885635",
    "size" : 1,
    "id" : "ffa9bc5e-1172-4021-acaf-cdcd78a9584d",
    "name" : "snap-001",
    "updated_at" : "2013-02-25T03:56:53.081642"
  }
}`,
  },
  {
    seed: "002",
    create: SNAPSHOT,
    variables: { EVS_LIMITS: "classic" },
    evsLimits: "classic",
    estate: (cloud) => cloud.addVolume({ id: DISK }),
    request: `{ "snapshot": { "name": "snap-001", "description": "Daily backup", "volume_id": "5aa119a8-d25b-45a7-8d1b-88e127885635", "force": false, "metadata": { } } }`,
    answer: `{ "snapshot": { "status": "creating", "description": "Daily backup", "created_at": "2013-02-25T03:56:53.081642", "metadata": { }, "volume_id": "5aa119a8-d25b-45a7-8d1b-88e127885635", "size": 1, "id": "ffa9bc5e-1172-4021-acaf-cdcd78a9584d", "name": "snap-001", "updated_at": "2013-02-25T03:56:53.081642" } }`,
  },
  {
    // The document has no example of a request: every field of its table, then.
    seed: "003",
    create: GROUP,
    estate(cloud) {
      const { id } = cloud.addServer({ id: "0a9f4c1e-3a9e-4f0c-9d7f-0c8a5a1b2c3d" });
      cloud.addVolume({ id: DISK, serverId: id });
    },
    request: `{
  "snapshot_group" : {
    "server_id" : "0a9f4c1e-3a9e-4f0c-9d7f-0c8a5a1b2c3d",
    "volume_ids" : [ "5aa119a8-d25b-45a7-8d1b-88e127885635" ],
    "instant_access" : false,
    "name" : "test_name",
    "description" : "",
    "tags" : { "backup" : "daily" },
    "enterprise_project_id" : "0",
    "incremental" : true
  }
}`,
    answer: `{
  "job_id" : "XXXXX",
  "snapshot_group_id" : "XXXXXX"
}`,
  },
  {
    seed: "004",
    create: CLUSTER,
    estate: (cloud) => cloud.addCluster({ id: "44b277eb-39be-4921-be31-3d61b43651d7" }),
    request: `{
  "snapshot" : {
    "name" : "snapshot-3",
    "cluster_id" : "44b277eb-39be-4921-be31-3d61b43651d7",
    "description" : "Snapshot-3 description"
  }
}`,
    answer: `{
  "snapshot" : {
    "id" : "2a4d0f86-67cd-408a-8b66-017454fb7793"
  }
}`,
  },
];

const PATHS: Record<string, string> = {
  "evs.createSnapshot": "/v2/0123456789abcdef0123456789abcdef/cloudsnapshots",
  "evs.createStandardSnapshot": "/v5/0123456789abcdef0123456789abcdef/snapshots",
  "evs.createSnapshotGroup": "/v5/0123456789abcdef0123456789abcdef/snapshot-groups",
  "dws.createSnapshot": "/v1.0/0123456789abcdef0123456789abcdef/snapshots",
};

describe.each(DOCUMENTS)("seed $seed", ({ create, variables, evsLimits, estate, request, answer }) => {
  const open = async () => {
    const site = await createTestEnvironment({ variables, evsLimits });
    estate(site.cloud);
    return site;
  };
  const { status, operation, envelope } = create;

  test("over HTTP: the example goes out with our marker and nothing else; its answer comes back to the byte", async () => {
    const site = await open();
    site.cloud.fault({ operation }, { type: "answer", status, body: answer });
    const { result } = await site.invoke(create.factory, apig(request), { requestId: "request-of-the-platform" });
    expect(result).toStrictEqual({
      statusCode: status,
      headers: {
        "content-type": "application/json",
        "x-request-id": "request-of-the-platform",
        "x-snapshot-outcome": "accepted",
      },
      body: answer,
      isBase64Encoded: false,
    });
    const [sent, ...others] = creates(site);
    expect(others).toEqual([]);
    expect(sent).toMatchObject({ method: "POST", path: PATHS[operation], query: {}, signed: "sdk-hmac" });
    expect(sent?.headers["content-type"]).toMatch(/^application\/json/);
    expect(sent?.body).toEqual({ [envelope]: create.marked(JSON.parse(request)[envelope]) });
  });

  test("invoked directly: the API's own body is what the function returns", async () => {
    const site = await open();
    site.cloud.fault({ operation }, { type: "answer", status, body: answer });
    const { result, error } = await site.invoke(create.factory, JSON.parse(request));
    expect(error).toBeUndefined();
    expect(result).toStrictEqual(JSON.parse(answer));
    expect(creates(site).map(({ body }) => body)).toEqual([
      { [envelope]: create.marked(JSON.parse(request)[envelope]) },
    ]);
  });

  test("the cloud takes it as it is", async () => {
    const { cloud, invoke } = await open();
    const { result, records } = await invoke(create.factory, apig(request));
    const { name } = JSON.parse(request)[envelope];
    const [made, ...members] = cloud.snapshots().filter(({ kind }) => kind === create.kind);
    expect(members).toEqual([]);
    expect(made).toMatchObject({ name });
    expect(result.statusCode).toBe(status);
    expect(result.body).toContain(made?.id);
    expect(records[0]).toMatchObject({ outcome: "accepted", kind: create.kind, name, snapshot_id: made?.id });
  });
});

describe.each(CREATES)("$name", (create) => {
  const { kind, operation, status, envelope } = create;
  const named = kind === "cluster-snapshot";

  test("a name is made up only where none was given", async () => {
    const site = await stage(create);
    const { records } = await site.post();
    const given = site.resource.name;
    const madeUp = new RegExp(`^${create.name}-20261121T020000Z-[0-9a-f]{8}$`);
    const [sent] = creates(site);
    expect(sent?.body).toEqual({
      [envelope]: create.marked({ ...site.resource, name: given ?? expect.stringMatching(madeUp) }),
    });
    expect(site.cloud.snapshots(kind)[0]?.name).toBe(records[0].name);
  });

  test("an agency that has only a token: it goes out as X-Auth-Token", async () => {
    const site = await stage(create);
    const { result } = await site.http(undefined, { credentials: { token: site.cloud.credentials.token } });
    expect(result.statusCode).toBe(status);
    expect(new Set(site.cloud.requests.map(({ signed }) => signed))).toEqual(new Set(["token"]));
    expect(site.cloud.snapshots(kind)).toHaveLength(1);
  });

  test("the same Idempotency-Key again: `existing`, in the API's own status and shape, and one snapshot", async () => {
    const site = await stage(create);
    const first = await site.post({ description: "before the update" }, { "Idempotency-Key": "deploy-7" });
    site.clock.advance(60_000);
    const again = await site.post({ description: "before the update" }, { "idempotency-key": "deploy-7" });
    expect(first.result.headers["x-snapshot-outcome"]).toBe("accepted");
    expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(again.result.statusCode).toBe(status);
    const [made, ...others] = site.cloud.snapshots(kind);
    expect(others).toEqual([]);
    expect(creates(site)).toHaveLength(1);
    const id = made?.id;
    const { volume_id, name, created_at } = made ?? {};
    expect(JSON.parse(again.result.body)).toEqual(
      {
        snapshot: {
          snapshot: expect.objectContaining({ id, volume_id, name, created_at, status: "available", size: 10 }),
        },
        "standard-snapshot": { snapshot_id: id },
        "snapshot-group": { snapshot_group_id: id },
        "cluster-snapshot": { snapshot: { id } },
      }[kind],
    );
    expect(outcomes(again)).toEqual(["create existing", "run done"]);
    expect(again.records[0]).toMatchObject({ snapshot_id: id, name: made?.name, attempts: 0 });
  });

  test("two calls with one key at the same moment in one instance make one snapshot", async () => {
    const site = await stage(create);
    const both = await Promise.all([1, 2].map(() => site.post({}, { "idempotency-key": "twice" })));
    expect(both.map(({ result }) => result.headers["x-snapshot-outcome"]).sort()).toEqual(["accepted", "existing"]);
    expect(site.cloud.snapshots(kind)).toHaveLength(1);
  });

  test("without a key every request is one of its own, and the platform's repetition of one is the same", async () => {
    const site = await stage(create, { creationMs: 0 });
    const fields = () => (named ? { name: `made-${site.clock.now()}` } : {});
    const first = fields();
    await site.direct(site.body(first), { requestId: "one" });
    site.clock.advance(60_000);
    const repeated = await site.direct(site.body(first), { requestId: "one" });
    const other = await site.direct(site.body(fields()), { requestId: "other" });
    expect([outcomes(repeated)[0], outcomes(other)[0]]).toEqual(["create existing", "create accepted"]);
    expect(site.cloud.snapshots(kind)).toHaveLength(2);
  });

  test("other content under the same key: 409 Conflict, and nothing is made", async () => {
    const site = await stage(create);
    await site.post({ description: "one" }, { "idempotency-key": "deploy-7" });
    site.clock.advance(60_000);
    const [made] = site.cloud.snapshots(kind);
    const other = await site.post({ description: "another" }, { "idempotency-key": "deploy-7" });
    expect(other.result.statusCode).toBe(409);
    expect(errorOf(other)).toMatchObject({ code: "Conflict", reason: "Conflict" });
    expect(errorOf(other).message).toContain(made?.id);
    expect(outcomes(other)).toEqual(["create failed", "run failed"]);
    expect(creates(site)).toHaveLength(1);
    expect(site.cloud.snapshots(kind)).toHaveLength(1);
  });

  test("a lost answer: found again, not made again", async () => {
    const site = await stage(create);
    site.cloud.fault({ operation, nth: 1 }, { type: "reset", after: true });
    const { result, records } = await site.post();
    expect(result.statusCode).toBe(status);
    expect(result.headers["x-snapshot-outcome"]).toBe("accepted");
    expect(creates(site)).toHaveLength(1);
    expect(site.cloud.snapshots(kind)).toHaveLength(1);
    expect(records[0]).toMatchObject({
      outcome: "accepted",
      attempts: 1,
      snapshot_id: site.cloud.snapshots(kind)[0]?.id,
    });
  });

  test("a lost request: made once it was found that it was not", async () => {
    const site = await stage(create);
    site.cloud.fault({ operation, nth: 1 }, { type: "reset", after: false });
    const { result, records } = await site.post();
    expect(result.statusCode).toBe(status);
    expect(site.cloud.snapshots(kind)).toHaveLength(1);
    expect(records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
  });
});

test.each(CREATES.filter(({ kind }) => kind !== "cluster-snapshot"))(
  "$name: a first snapshot that failed counts as absent: a second one, with another made-up name",
  async (create) => {
    const site = await stage(create);
    const id = String(site.resource.volume_id ?? site.resource.server_id);
    site.cloud.endWith(id, "error");
    const post = () => site.post({}, { "idempotency-key": "deploy-7" });
    const first = await post();
    site.clock.advance(60_000);
    const second = await post();
    site.clock.advance(60_000);
    const third = await post();
    const [failed, good, ...others] = site.cloud.snapshots(create.kind);
    expect(others).toEqual([]);
    expect(failed?.status).toBe("error");
    expect(good?.status).toMatch(/^ava/);
    expect(good?.name).not.toBe(failed?.name);
    expect([first, second, third].map(({ result }) => result.headers["x-snapshot-outcome"])).toEqual([
      "accepted",
      "accepted",
      "existing",
    ]);
    expect(third.result.body).toContain(good?.id);
  },
);

test("the order of fields is no content: the same request in another order is the same", async () => {
  const site = await stage(SNAPSHOT);
  const { volume_id } = site.resource;
  const headers = { "idempotency-key": "deploy-7" };
  await site.http(apig({ snapshot: { volume_id, force: true, metadata: { a: "1", b: "2" } } }, headers));
  const again = await site.http(apig({ snapshot: { metadata: { b: "2", a: "1" }, force: true, volume_id } }, headers));
  expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
});

test("a cluster snapshot that failed keeps its name: 409, which says what to do", async () => {
  const site = await stage(CLUSTER);
  site.cloud.endWith(String(site.resource.cluster_id), "UNAVAILABLE");
  await site.post({}, { "idempotency-key": "deploy-7" });
  site.clock.advance(60_000);
  const again = await site.post({}, { "idempotency-key": "deploy-7" });
  expect(again.result.statusCode).toBe(409);
  expect(errorOf(again).message).toMatch(/"snapshot-\d+" is the name of snapshot .*delete that snapshot/);
});

test("a cluster's description without room for the marker goes out as it is, and its name finds it again", async () => {
  const site = await stage(CLUSTER);
  const description = "x".repeat(256);
  const post = () => site.post({ description }, { "idempotency-key": "deploy-7" });
  await post();
  site.clock.advance(60_000);
  const again = await post();
  expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
  expect(site.cloud.snapshots("cluster-snapshot").map((made) => made.description)).toEqual([description]);
});

test("EVS_LIMITS=classic: a null description goes out as null", async () => {
  const site = await stage(SNAPSHOT, { evsLimits: "classic", variables: { EVS_LIMITS: "classic" } });
  const { result } = await site.post({ description: null });
  expect(result.statusCode).toBe(202);
  expect(creates(site)[0]?.body).toMatchObject({ snapshot: { description: null } });
});

/** Tests the create functions with the example requests and example responses in the API documents. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import {
  byName,
  CLASSIC,
  CLUSTER,
  CREATES,
  type Create,
  createFixture,
  creates,
  GROUP,
  SNAPSHOT,
  STANDARD,
} from "../support/creates.ts";
import { apig, createTestEnvironment } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

/** An example of a create request and its response in the API documents of EVS or DWS. */
interface Example {
  create: Create;
  options?: typeof CLASSIC;
  /** Adds the disk, server or cluster whose id is in the example request. */
  arrange(cloud: EmbeddedCloud): unknown;
  /** The body of the example request, with the same whitespace as in the API document. */
  request: string;
  /** The body of the example response, with the same whitespace as in the API document. */
  response: string;
}

const DISK = "5aa119a8-d25b-45a7-8d1b-88e127885635";

const EXAMPLES: Example[] = [
  {
    create: STANDARD,
    arrange: (cloud) => cloud.addVolume({ id: "2c194dde-7de5-4529-a141-49f48181f411" }),
    request: `{
  "snapshot" : {
    "volume_id" : "2c194dde-7de5-4529-a141-49f48181f411",
    "name" : "test_name",
    "description" : "test description",
    "enterprise_project_id" : "94f1ea84-1428-49b6-9920-8a9b8a29e4ca"
  }
}`,
    response: `{
  "job_id" : "ee62a0c1e79c4e11be5adc17a49f69ef",
  "snapshot_id" : "bb02c803-55ac-4e84-9c80-60d352199d7d"
}`,
  },
  {
    create: SNAPSHOT,
    arrange: (cloud) => cloud.addVolume({ id: DISK }),
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
    response: `{
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
    create: SNAPSHOT,
    options: CLASSIC,
    arrange: (cloud) => cloud.addVolume({ id: DISK }),
    request: `{ "snapshot": { "name": "snap-001", "description": "Daily backup", "volume_id": "5aa119a8-d25b-45a7-8d1b-88e127885635", "force": false, "metadata": { } } }`,
    response: `{ "snapshot": { "status": "creating", "description": "Daily backup", "created_at": "2013-02-25T03:56:53.081642", "metadata": { }, "volume_id": "5aa119a8-d25b-45a7-8d1b-88e127885635", "size": 1, "id": "ffa9bc5e-1172-4021-acaf-cdcd78a9584d", "name": "snap-001", "updated_at": "2013-02-25T03:56:53.081642" } }`,
  },
  {
    // The API document shows no example request, so this request contains every field that the document lists.
    create: GROUP,
    arrange(cloud) {
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
    response: `{
  "job_id" : "XXXXX",
  "snapshot_group_id" : "XXXXXX"
}`,
  },
  {
    create: CLUSTER,
    arrange: (cloud) => cloud.addCluster({ id: "44b277eb-39be-4921-be31-3d61b43651d7" }),
    request: `{
  "snapshot" : {
    "name" : "snapshot-3",
    "cluster_id" : "44b277eb-39be-4921-be31-3d61b43651d7",
    "description" : "Snapshot-3 description"
  }
}`,
    response: `{
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

describe.each(EXAMPLES.map((example) => [example.create.name, example] as const))("%s", (_name, example) => {
  const { create, options, arrange, request, response } = example;
  const unit = `${create.name}${options === undefined ? "" : " with EVS_LIMITS=classic"}`;
  const { status, operation, envelope } = create;
  const sentBody = { [envelope]: create.withMarker(JSON.parse(request)[envelope]) };
  const prepare = async (fault?: "respond with the example") => {
    const environment = await createTestEnvironment(options);
    arrange(environment.cloud);
    if (fault) environment.cloud.fault({ operation }, { type: "answer", status, body: response });
    return environment;
  };

  test(`${unit} adds only the snapshot marker to the example request in the API document, and returns the example response unchanged to an HTTP caller`, async () => {
    const environment = await prepare("respond with the example");
    const requestId = "request-id-of-functiongraph";
    const { result } = await environment.invoke(create.factory, apig(request), { requestId });
    expect(result).toStrictEqual({
      statusCode: status,
      headers: {
        "content-type": "application/json",
        "x-request-id": requestId,
        "x-snapshot-outcome": "accepted",
      },
      body: response,
      isBase64Encoded: false,
    });
    const [sent, ...others] = creates(environment);
    expect(others).toEqual([]);
    expect(sent).toMatchObject({ method: "POST", path: PATHS[operation], query: {}, signed: "sdk-hmac" });
    expect(sent?.headers["content-type"]).toMatch(/^application\/json/);
    expect(sent?.body).toEqual(sentBody);
  });

  test(`${unit}, invoked directly, returns the example response in the API document as an object`, async () => {
    const environment = await prepare("respond with the example");
    const { result, error } = await environment.invoke(create.factory, JSON.parse(request));
    expect(error).toBeUndefined();
    expect(result).toStrictEqual(JSON.parse(response));
    expect(creates(environment).map(({ body }) => body)).toEqual([sentBody]);
  });

  test(`${unit} creates exactly one snapshot, which has the name in the example request of the API document`, async () => {
    const { cloud, invoke } = await prepare();
    const { result, records } = await invoke(create.factory, apig(request));
    const { name } = JSON.parse(request)[envelope];
    const [made, ...others] = cloud.snapshots(create.kind);
    expect(others).toEqual([]);
    expect(made).toMatchObject({ name });
    expect(result.statusCode).toBe(status);
    expect(result.body).toContain(made?.id);
    expect(records[0]).toMatchObject({ outcome: "accepted", kind: create.kind, name, snapshot_id: made?.id });
  });
});

describe.each(byName(CREATES))("%s", (_name, create) => {
  test(`${create.name} uses the snapshot name in the request body, or generates a name if the body contains no name`, async () => {
    const fixture = await createFixture(create);
    const { records } = await fixture.post();
    const generated = new RegExp(`^${create.name}-20261121T020000Z-[0-9a-f]{8}$`);
    const name = fixture.resource.name ?? expect.stringMatching(generated);
    expect(creates(fixture)[0]?.body).toEqual({ [create.envelope]: create.withMarker({ ...fixture.resource, name }) });
    expect(fixture.snapshots()[0]?.name).toBe(records[0].name);
  });

  test(`${create.name} sends the token of its agency in the header X-Auth-Token if the agency provides no access key`, async () => {
    const fixture = await createFixture(create);
    const { result } = await fixture.http(undefined, { credentials: { token: fixture.cloud.credentials.token } });
    expect(result.statusCode).toBe(create.status);
    expect(new Set(fixture.cloud.requests.map(({ signed }) => signed))).toEqual(new Set(["token"]));
    expect(fixture.snapshots()).toHaveLength(1);
  });
});

test("create-snapshot with EVS_LIMITS=classic sends the description null to EVS without changing it", async () => {
  const fixture = await createFixture(SNAPSHOT, CLASSIC);
  const { result } = await fixture.post({ description: null });
  expect(result.statusCode).toBe(202);
  expect(creates(fixture)[0]?.body).toMatchObject({ snapshot: { description: null } });
});

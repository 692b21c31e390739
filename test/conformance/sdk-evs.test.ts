/**
 * Compares the requests of the replacement for huaweicloud-sdk-evs with the requests of the official client. `EXPECTED` was
 * recorded with the official source in huaweicloud/huaweicloud-sdk-nodejs-v3, commit b081640.
 */
import { expect, test } from "vitest";
import { type EvsClasses, type SentRequest, sentRequests } from "./sdk-evs-requests.ts";

const JSON_REQUEST = {
  query: {},
  contentType: "application/json",
  signedHeaders: "content-type;host;x-project-id;x-sdk-date",
  body: undefined,
};
const REPLACEMENT = new URL("../../shared/huaweicloud/sdk-evs/v2/", import.meta.url);
const EVS = "https://evs.example.com/v2/project";

const EXPECTED: SentRequest[] = [
  {
    ...JSON_REQUEST,
    request: `POST ${EVS}/cloudsnapshots`,
    body: {
      snapshot: { volume_id: "disk", force: true, metadata: { key: "value" }, description: "text", name: "name" },
    },
  },
  { ...JSON_REQUEST, request: `GET ${EVS}/cloudsnapshots/detail`, query: { offset: 0, limit: 10, volume_id: "disk" } },
  { ...JSON_REQUEST, request: `DELETE ${EVS}/cloudsnapshots/snapshot` },
  { ...JSON_REQUEST, request: `DELETE ${EVS}/cloudsnapshots/snapshot` },
  {
    ...JSON_REQUEST,
    request: `GET ${EVS}/cloudvolumes/detail`,
    query: { enterprise_project_id: "all_granted_eps", server_id: "server" },
  },
  { ...JSON_REQUEST, request: `GET ${EVS}/cloudvolumes/disk` },
];

/** Loads the classes of a client with `load`, which imports one file of the client. */
async function classesOf(load: (file: string) => Promise<object>): Promise<EvsClasses> {
  const names = [
    "CreateSnapshotOption",
    "CreateSnapshotRequest",
    "CreateSnapshotRequestBody",
    "DeleteSnapshotRequest",
    "ListSnapshotsRequest",
    "ListVolumesRequest",
    "ShowVolumeRequest",
  ];
  const modules = await Promise.all([load("EvsClient"), ...names.map((name) => load(`model/${name}`))]);
  return Object.assign({}, ...modules);
}

test("the replacement for huaweicloud-sdk-evs sends the same six requests as the official client", async () => {
  const classes = await classesOf((file) => import(new URL(`${file}.ts`, REPLACEMENT).href));
  expect(await sentRequests(classes)).toEqual(EXPECTED);
});

test("the EVS client that tsconfig.json selects (the official client, if installed) sends the same six requests as the official client", async () => {
  const classes = await classesOf((file) => IMPORTS[file]?.() ?? Promise.reject(new Error(`No import of ${file}.`)));
  expect(await sentRequests(classes)).toEqual(EXPECTED);
});

/** Imports of the files through tsconfig.json, which resolves only constant names. */
const IMPORTS: Record<string, () => Promise<object>> = {
  EvsClient: () => import("@huaweicloud/huaweicloud-sdk-evs/v2/EvsClient"),
  "model/CreateSnapshotOption": () => import("@huaweicloud/huaweicloud-sdk-evs/v2/model/CreateSnapshotOption"),
  "model/CreateSnapshotRequest": () => import("@huaweicloud/huaweicloud-sdk-evs/v2/model/CreateSnapshotRequest"),
  "model/CreateSnapshotRequestBody": () =>
    import("@huaweicloud/huaweicloud-sdk-evs/v2/model/CreateSnapshotRequestBody"),
  "model/DeleteSnapshotRequest": () => import("@huaweicloud/huaweicloud-sdk-evs/v2/model/DeleteSnapshotRequest"),
  "model/ListSnapshotsRequest": () => import("@huaweicloud/huaweicloud-sdk-evs/v2/model/ListSnapshotsRequest"),
  "model/ListVolumesRequest": () => import("@huaweicloud/huaweicloud-sdk-evs/v2/model/ListVolumesRequest"),
  "model/ShowVolumeRequest": () => import("@huaweicloud/huaweicloud-sdk-evs/v2/model/ShowVolumeRequest"),
};

import type { HcClient } from "@huaweicloud/huaweicloud-sdk-core/HcClient";
import type { SdkResponse } from "@huaweicloud/huaweicloud-sdk-core/SdkResponse";
import type { CreateSnapshotRequest } from "./model/CreateSnapshotRequest.ts";
import type { DeleteSnapshotRequest } from "./model/DeleteSnapshotRequest.ts";
import type { ListSnapshotsRequest } from "./model/ListSnapshotsRequest.ts";
import type { ListVolumesRequest } from "./model/ListVolumesRequest.ts";
import type { ShowVolumeRequest } from "./model/ShowVolumeRequest.ts";

/** One SDK request. Callers check ids first, because the SDK does not encode them (SOURCES.md#sdk-unencoded-paths). */
interface Call {
  method: "GET" | "POST" | "DELETE";
  url: string;
  queryParams?: object;
  pathParams?: Record<string, string | undefined>;
  data?: object;
}

/** The methods of the SDK's official `EvsClient` (EVS v2) that this project uses. */
export class EvsClient {
  readonly #client: HcClient;

  constructor(client: HcClient) {
    this.#client = client;
  }

  createSnapshot(request: CreateSnapshotRequest): Promise<SdkResponse> {
    return this.#send({ method: "POST", url: "/v2/{project_id}/cloudsnapshots", data: request.body });
  }

  listSnapshots(request: ListSnapshotsRequest): Promise<SdkResponse> {
    return this.#send({ method: "GET", url: "/v2/{project_id}/cloudsnapshots/detail", queryParams: request });
  }

  deleteSnapshot(request: DeleteSnapshotRequest): Promise<SdkResponse> {
    const pathParams = { snapshot_id: request.snapshotId };
    return this.#send({ method: "DELETE", url: "/v2/{project_id}/cloudsnapshots/{snapshot_id}", pathParams });
  }

  listVolumes(request: ListVolumesRequest): Promise<SdkResponse> {
    return this.#send({ method: "GET", url: "/v2/{project_id}/cloudvolumes/detail", queryParams: request });
  }

  showVolume(request: ShowVolumeRequest): Promise<SdkResponse> {
    const pathParams = { volume_id: request.volumeId };
    return this.#send({ method: "GET", url: "/v2/{project_id}/cloudvolumes/{volume_id}", pathParams });
  }

  #send({ method, url, queryParams = {}, pathParams = {}, data }: Call): Promise<SdkResponse> {
    const present = Object.entries(queryParams).filter(([, value]) => value !== undefined && value !== null);
    return this.#client.sendRequest({
      method,
      url,
      contentType: "application/json",
      queryParams: Object.fromEntries(present),
      pathParams,
      headers: {},
      ...(data === undefined ? {} : { data }),
    });
  }
}

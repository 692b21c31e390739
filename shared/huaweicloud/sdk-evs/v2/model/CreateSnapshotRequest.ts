import type { CreateSnapshotRequestBody } from "./CreateSnapshotRequestBody.ts";

export class CreateSnapshotRequest {
  declare body?: CreateSnapshotRequestBody;

  withBody(body: CreateSnapshotRequestBody): this {
    this.body = body;
    return this;
  }
}

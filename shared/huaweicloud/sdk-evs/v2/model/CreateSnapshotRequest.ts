import type { CreateSnapshotRequestBody } from "./CreateSnapshotRequestBody.ts";

export class CreateSnapshotRequest {
  body?: CreateSnapshotRequestBody;

  withBody(body: CreateSnapshotRequestBody): this {
    this.body = body;
    return this;
  }
}

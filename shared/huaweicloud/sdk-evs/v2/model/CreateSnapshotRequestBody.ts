import type { CreateSnapshotOption } from "./CreateSnapshotOption.ts";

export class CreateSnapshotRequestBody {
  snapshot?: CreateSnapshotOption;

  withSnapshot(snapshot: CreateSnapshotOption): this {
    this.snapshot = snapshot;
    return this;
  }
}

import type { CreateSnapshotOption } from "./CreateSnapshotOption.ts";

export class CreateSnapshotRequestBody {
  declare snapshot?: CreateSnapshotOption;

  constructor(snapshot?: CreateSnapshotOption) {
    this.snapshot = snapshot;
  }

  withSnapshot(snapshot: CreateSnapshotOption): this {
    this.snapshot = snapshot;
    return this;
  }
}

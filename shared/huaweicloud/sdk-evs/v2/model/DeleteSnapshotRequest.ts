export class DeleteSnapshotRequest {
  declare private snapshot_id?: string;

  constructor(snapshotId?: string) {
    this.snapshot_id = snapshotId;
  }

  withSnapshotId(snapshotId: string): this {
    this.snapshot_id = snapshotId;
    return this;
  }

  get snapshotId(): string | undefined {
    return this.snapshot_id;
  }
}

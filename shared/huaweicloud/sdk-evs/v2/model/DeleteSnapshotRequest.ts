export class DeleteSnapshotRequest {
  private snapshot_id?: string;

  withSnapshotId(snapshotId: string): this {
    this.snapshot_id = snapshotId;
    return this;
  }

  get snapshotId(): string | undefined {
    return this.snapshot_id;
  }
}

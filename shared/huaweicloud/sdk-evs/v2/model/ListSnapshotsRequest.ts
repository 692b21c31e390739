export class ListSnapshotsRequest {
  offset?: number;
  limit?: number;
  private volume_id?: string;
  private enterprise_project_id?: string;

  withOffset(offset: number): this {
    this.offset = offset;
    return this;
  }

  withLimit(limit: number): this {
    this.limit = limit;
    return this;
  }

  withVolumeId(volumeId: string): this {
    this.volume_id = volumeId;
    return this;
  }

  withEnterpriseProjectId(enterpriseProjectId: string): this {
    this.enterprise_project_id = enterpriseProjectId;
    return this;
  }
}

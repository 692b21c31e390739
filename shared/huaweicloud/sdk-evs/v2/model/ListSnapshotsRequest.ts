export class ListSnapshotsRequest {
  declare offset?: number;
  declare limit?: number;
  declare private volume_id?: string;
  declare private enterprise_project_id?: string;

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

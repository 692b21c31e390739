export class ListVolumesRequest {
  marker?: string;
  limit?: number;
  offset?: number;
  private server_id?: string;
  ids?: string;
  private enterprise_project_id?: string;

  withMarker(marker: string): this {
    this.marker = marker;
    return this;
  }

  withLimit(limit: number): this {
    this.limit = limit;
    return this;
  }

  withOffset(offset: number): this {
    this.offset = offset;
    return this;
  }

  withServerId(serverId: string): this {
    this.server_id = serverId;
    return this;
  }

  withIds(ids: string): this {
    this.ids = ids;
    return this;
  }

  withEnterpriseProjectId(enterpriseProjectId: string): this {
    this.enterprise_project_id = enterpriseProjectId;
    return this;
  }
}

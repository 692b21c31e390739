export class ListVolumesRequest {
  declare limit?: number;
  declare offset?: number;
  declare private server_id?: string;
  declare private enterprise_project_id?: string;

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

  withEnterpriseProjectId(enterpriseProjectId: string): this {
    this.enterprise_project_id = enterpriseProjectId;
    return this;
  }
}

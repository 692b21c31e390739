export class CreateSnapshotOption {
  declare private volume_id?: string;
  declare force?: boolean;
  declare metadata?: { [key: string]: string };
  declare description?: string;
  declare name?: string;

  constructor(volumeId?: string) {
    this.volume_id = volumeId;
  }

  withVolumeId(volumeId: string): this {
    this.volume_id = volumeId;
    return this;
  }

  withForce(force: boolean): this {
    this.force = force;
    return this;
  }

  withMetadata(metadata: { [key: string]: string }): this {
    this.metadata = metadata;
    return this;
  }

  withDescription(description: string): this {
    this.description = description;
    return this;
  }

  withName(name: string): this {
    this.name = name;
    return this;
  }
}

export class CreateSnapshotOption {
  private volume_id?: string;
  force?: boolean;
  metadata?: { [key: string]: string };
  description?: string;
  name?: string;

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

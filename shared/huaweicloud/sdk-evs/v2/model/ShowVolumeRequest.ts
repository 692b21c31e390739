export class ShowVolumeRequest {
  declare private volume_id?: string;

  constructor(volumeId?: string) {
    this.volume_id = volumeId;
  }

  withVolumeId(volumeId: string): this {
    this.volume_id = volumeId;
    return this;
  }

  get volumeId(): string | undefined {
    return this.volume_id;
  }
}

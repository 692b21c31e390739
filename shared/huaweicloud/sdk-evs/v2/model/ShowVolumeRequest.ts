export class ShowVolumeRequest {
  private volume_id?: string;

  withVolumeId(volumeId: string): this {
    this.volume_id = volumeId;
    return this;
  }

  get volumeId(): string | undefined {
    return this.volume_id;
  }
}

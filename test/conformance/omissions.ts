/** Lists the fields in which the embedded cloud differs from an official client on purpose. */

/** One field that no response of an operation has although the model declares it, or that the model lacks. */
export interface Omission {
  operation: string;
  field: string;
  reason: string;
}

/** Creates one entry for each pair of an operation and a field. */
const omit = (reason: string, operations: string[], fields: string[]): Omission[] =>
  operations.flatMap((operation) => fields.map((field) => ({ operation, field, reason })));

const SERVERS = [
  ["ecs.ListServersDetails", "servers[]"],
  ["ecs.ShowServer", "server"],
] as const;

/** All omissions. A conformance run fails if the responses of an operation do have a field that this list contains. */
export const OMISSIONS: readonly Omission[] = [
  ...omit(
    'The response in the example of the EVS API Reference, "Creating an EVS Snapshot", lacks this field.',
    ["evs.CreateSnapshot"],
    ["snapshot.os-extended-snapshot-attributes:project_id", "snapshot.os-extended-snapshot-attributes:progress"],
  ),
  ...omit(
    "Only disks whose type has configurable performance have this field, and the embedded cloud has no such type.",
    ["evs.ListVolumes"],
    ["volumes[].iops", "volumes[].throughput"],
  ),
  ...omit(
    "Only disks whose type has configurable performance have this field, and the embedded cloud has no such type.",
    ["evs.ShowVolume"],
    ["volume.iops", "volume.throughput"],
  ),
  ...omit(
    "Only encrypted or prepaid disks have this metadata, and the embedded cloud has no such disks.",
    ["evs.ListVolumesByTags"],
    ["__system__cmkid", "__system__encrypted", "orderID"].map((key) => `resources[].resource_detail.metadata.${key}`),
  ),
  ...omit(
    "DWS documents the response 202 without a body (SOURCES.md#dws-calls).",
    ["dws.DeleteSnapshot"],
    ["error_code", "error_msg", "job_id"],
  ),
  ...omit("Only the response for a job that does not exist has this field.", ["ecs.ShowJob"], ["code", "message"]),
  ...omit(
    "Only jobs that create servers or network interfaces have this field, and the embedded cloud has no such jobs.",
    ["ecs.ShowJob"],
    ["entities.nic_id", "entities.sub_jobs", "entities.sub_jobs_total"],
  ),
  ...SERVERS.flatMap(([operation, server]) => [
    ...omit("Only a server with the status ERROR has this field.", [operation], [`${server}.fault`]),
    ...omit(
      "Python and Go declare this field as required. The Node.js client is an older release, which does not declare it.",
      [operation],
      ["capacity_reservation_id", "capacity_reservation_specification", "enclave_options", "spod_id"].map(
        (field) => `${server}.${field}`,
      ),
    ),
  ]),
];

import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "disk-attached";

export const definition = {
  name,
  summary: "Creates one snapshot of a disk when the disk is attached to a server.",
  trigger: { type: "cts" },
  timeoutSeconds: 300,
  memoryMb: 128,
  // CTS sends two audit events (traces) for every attachment. Two instances could process the two events at the same time and
  // create two snapshots, because EVS does not reject the second snapshot. A single instance processes the events one after
  // the other.
  maxInstances: 1,
  // DISK_ATTACHED_KIND selects whether the function creates legacy or standard snapshots. The function calls evs.deleteSnapshot
  // only if DISK_ATTACHED_RETENTION is set.
  calls: [
    "evs.listVolumes",
    "evs.showVolume",
    "evs.createSnapshot",
    "evs.listSnapshots",
    "evs.deleteSnapshot",
    "evs.createStandardSnapshot",
    "evs.listStandardSnapshots",
  ],
} as const satisfies FunctionDefinition;

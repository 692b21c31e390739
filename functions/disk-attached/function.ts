import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "disk-attached";

export const definition = {
  name,
  summary: "Creates one snapshot of a disk when the disk is attached to a server.",
  trigger: { type: "cts" },
  timeoutSeconds: 300,
  memoryMb: 128,
  // CTS sends two audit events (traces) for one attachment. A single instance processes them one after the other, because EVS
  // offers no lock against a second snapshot.
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

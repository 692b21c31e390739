// Made from the files of this folder by `npm run generate`. Do not edit.
import type { KindName } from "../snapshots/kinds/kinds.generated.ts";
import type { SnapshotService } from "../snapshots/ports.ts";
import { dws } from "./dws.ts";
import { evsV2 } from "./evs-v2.ts";
import { evsV5Snapshots } from "./evs-v5.ts";
import { evsV5SnapshotGroups } from "./evs-v5.ts";
import type { Connection } from "./http/sdk-client.ts";

/** The function that creates the client for each kind of snapshot. */
export const CLIENTS: Record<KindName, (connection: Connection) => SnapshotService> = {
  "snapshot": evsV2,
  "standard-snapshot": evsV5Snapshots,
  "snapshot-group": evsV5SnapshotGroups,
  "cluster-snapshot": dws,
};

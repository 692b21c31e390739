import type { KindName } from "../snapshots/kinds/kinds.ts";
import type { Cloud, SnapshotService } from "../snapshots/ports.ts";
import { dws } from "./dws.ts";
import { evsV2 } from "./evs-v2.ts";
import { evsV5SnapshotGroups, evsV5Snapshots } from "./evs-v5.ts";
import type { Connection } from "./http/sdk-client.ts";

/** The client of each kind. */
const SERVICES: Record<KindName, (connection: Connection) => SnapshotService> = {
  snapshot: evsV2,
  "standard-snapshot": evsV5Snapshots,
  "snapshot-group": evsV5SnapshotGroups,
  "cluster-snapshot": dws,
};

/** Returns a function that gives the client of a kind, for functions whose policy names the kind. */
export const cloudOf =
  (connection: Connection): Cloud =>
  ({ name }) =>
    SERVICES[name as KindName](connection);

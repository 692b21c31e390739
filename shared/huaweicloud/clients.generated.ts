// Made from the files of this folder by `npm run generate`. Do not edit.
import type { KindName } from "../snapshots/kinds/kinds.generated.ts";
import type { SnapshotService } from "../snapshots/ports.ts";
import { createDwsClient } from "./dws.ts";
import { createEvsV2Client } from "./evs-v2.ts";
import { createEvsV5SnapshotClient } from "./evs-v5.ts";
import { createEvsV5GroupClient } from "./evs-v5.ts";
import type { Connection } from "./http/sdk-client.ts";

/** The function that creates the client for each kind of snapshot. */
export const CLIENTS: Record<KindName, (connection: Connection) => SnapshotService> = {
  "snapshot": createEvsV2Client,
  "standard-snapshot": createEvsV5SnapshotClient,
  "snapshot-group": createEvsV5GroupClient,
  "cluster-snapshot": createDwsClient,
};

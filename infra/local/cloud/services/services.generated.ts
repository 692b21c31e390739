// Made from the files of this folder by `npm run generate`. Do not edit.
import type { Service } from "../gateway/http.ts";
import { service as dws } from "./dws.ts";
import { service as ecs } from "./ecs.ts";
import { service as evs } from "./evs.ts";
import { service as functiongraph } from "./functiongraph.ts";
import { service as lts } from "./lts.ts";
import { snapshotKind as evsV2Kind } from "./evs-v2.ts";
import { snapshotKind as evsV5Kind } from "./evs-v5.ts";
import { snapshotKind as evsGroupsKind } from "./evs-groups.ts";
import { snapshotKind as dwsKind } from "./dws.ts";

/** All services of the embedded cloud. */
export const SERVICES: readonly Service[] = [dws, ecs, evs, functiongraph, lts];

/** All kinds of snapshots of the embedded cloud, by name. */
export const SNAPSHOT_KINDS = {
  "snapshot": evsV2Kind,
  "standard-snapshot": evsV5Kind,
  "snapshot-group": evsGroupsKind,
  "cluster-snapshot": dwsKind,
};

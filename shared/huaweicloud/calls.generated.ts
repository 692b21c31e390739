// Made from the files of this folder by `npm run generate`. Do not edit.
import { calls as dws } from "./dws.ts";
import { calls as ecs } from "./ecs.ts";
import { calls as evsV2 } from "./evs-v2.ts";
import { calls as evsV5 } from "./evs-v5.ts";
import { calls as evsVolumes } from "./evs-volumes.ts";
import { calls as functionInvocations } from "./function-invocations.ts";
import { calls as lts } from "./lts.ts";

/** Every call of a cloud service that the functions can make, with the IAM actions that the call requires. */
export const CALLS = {
  ...dws,
  ...ecs,
  ...evsV2,
  ...evsV5,
  ...evsVolumes,
  ...functionInvocations,
  ...lts,
};

/** The name of a cloud call, such as `evs.createSnapshot`. The embedded cloud uses the same name for the operation. */
export type CloudCall = keyof typeof CALLS;

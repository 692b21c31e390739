/** The EVS service: its routes and its error envelopes. */

import type { Refusal, Service } from "../gateway/http.ts";
import { snapshotGroupRoutes } from "./evs-groups.ts";
import { jobRoutes } from "./evs-jobs.ts";
import { snapshotRoutes } from "./evs-v2.ts";
import { standardSnapshotRoutes } from "./evs-v5.ts";
import { volumeRoutes } from "./evs-volumes.ts";

/** OpenStack's names of faults, as the older clouds answer (seed 002, cloud-apis.md 4.1 number 2). */
const OPENSTACK_FAULTS: Record<number, string> = {
  400: "badRequest",
  403: "forbidden",
  404: "itemNotFound",
  409: "conflictingRequest",
  413: "overLimit",
  500: "computeFault",
};

export const evs: Service = {
  name: "evs",
  behindGateway: true,
  failure: { 500: "EVS.5500", 503: "EVS.5503" },
  routes: [...snapshotRoutes, ...volumeRoutes, ...standardSnapshotRoutes, ...snapshotGroupRoutes, ...jobRoutes],
  envelope(refusal: Refusal, route, cloud) {
    const classic = cloud.choices.evsLimits === "classic" && route.path.startsWith("/v2/");
    const named = Object.values(OPENSTACK_FAULTS).find((name) => name === refusal.code);
    const fault = named ?? (classic ? OPENSTACK_FAULTS[refusal.status] : undefined);
    // The code there is the HTTP status, a number (cloud-apis.md 4.1).
    if (fault) return { [fault]: { message: refusal.message, code: refusal.status } };
    return { error: { message: refusal.message, code: refusal.code } };
  },
};

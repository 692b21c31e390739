/** Defines the EVS service: its routes and its error bodies. */

import type { Refusal, Service } from "../gateway/http.ts";
import { snapshotGroupRoutes } from "./evs-groups.ts";
import { jobRoutes } from "./evs-jobs.ts";
import { quotaRoutes } from "./evs-quotas.ts";
import { snapshotRoutes } from "./evs-v2.ts";
import { standardSnapshotRoutes } from "./evs-v5.ts";
import { volumeRoutes } from "./evs-volumes.ts";

/**
 * Maps an HTTP status to the name of the only field in an error body of OpenStack. Older clouds send these error bodies
 * (SOURCES.md#openstack-faults).
 */
const OPENSTACK_FAULTS: Record<number, string> = {
  400: "badRequest",
  403: "forbidden",
  404: "itemNotFound",
  409: "conflictingRequest",
  413: "overLimit",
  500: "computeFault",
};

export const service: Service = {
  name: "evs",
  behindGateway: true,
  failure: { 500: "EVS.5500", 503: "EVS.5503" },
  routes: [
    ...snapshotRoutes,
    ...volumeRoutes,
    ...quotaRoutes,
    ...standardSnapshotRoutes,
    ...snapshotGroupRoutes,
    ...jobRoutes,
  ],
  envelope(refusal: Refusal, route, cloud) {
    const hasClassicLimits = cloud.behavior.evsLimits === "classic" && route.path.startsWith("/v2/");
    const key = Object.values(OPENSTACK_FAULTS).find((name) => name === refusal.code);
    const fault = key ?? (hasClassicLimits ? OPENSTACK_FAULTS[refusal.status] : undefined);
    // In an error body of OpenStack, `code` is the HTTP status as a number (SOURCES.md#openstack-faults).
    if (fault) return { [fault]: { message: refusal.message, code: refusal.status } };
    return { error: { message: refusal.message, code: refusal.code } };
  },
};

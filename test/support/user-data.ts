/** Builds the user data of a function, which connect the function to the embedded cloud. */
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";

/** The LTS log group and log stream that receive the result records. */
export const TOPIC = { group: "7a1d3b52-6c0e-4f7b-9d58-2e4f60718293", stream: "c5e8f0a4-1b2d-4c3e-8f90-a1b2c3d4e5f6" };

const SERVICES = ["EVS", "DWS", "ECS", "FUNCTIONGRAPH", "LTS"];

/** Returns the endpoint variables of the services, all with the same URL. */
export const endpointsAt = (url: string, services: readonly string[] = SERVICES): Record<string, string> =>
  Object.fromEntries(services.map((service) => [`${service}_ENDPOINT`, url]));

/** Returns all variables that a function needs to call the embedded cloud and to send its records to `TOPIC`. */
export const userDataFor = (cloud: EmbeddedCloud): Record<string, string> => ({
  REGION: cloud.region,
  PROJECT_ID: cloud.projectId,
  ...endpointsAt(cloud.url),
  LTS_LOG_GROUP_ID: TOPIC.group,
  LTS_LOG_STREAM_ID: TOPIC.stream,
});

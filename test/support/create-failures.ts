/** Situations in which a create function fails, with the expected error. Each error reason has at least one situation. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import type { Reason } from "../../shared/core/errors.ts";
import { CLASSIC, CLUSTER, type Create, type CreateFixture, GROUP, SNAPSHOT, STANDARD } from "./creates.ts";
import type { Invocation, TestEnvironmentOptions } from "./environment.ts";

export interface Failure {
  /** The error reason that the function must report. */
  reason: Reason;
  /** A description of the situation that completes the name of a test. */
  situation: string;
  create: Create;
  options?: TestEnvironmentOptions;
  invocation?: Invocation;
  /** Prepares the embedded cloud so that the situation occurs. */
  arrange?: (fixture: CreateFixture) => unknown;
  /** The HTTP status that the function must return. */
  status: number;
  /** The HTTP status and the code in the EVS or DWS response. Without a code, the error code of the function is `reason`. */
  cloud?: [status: number, code?: string];
  /** The expected message of the error, or a part of it. */
  message: string | RegExp;
}

/** Returns a function that makes every create request fail with a status, a code and a message. */
const rejectCreates =
  (status: number, code: string, message: string) =>
  ({ failCreate }: CreateFixture) =>
    failCreate({ type: "answer", status, body: JSON.stringify({ error: { code, message } }) });

/** Returns a function that adds a fault to the matching operations of the embedded cloud. */
const addFault =
  (operation: RegExp, fault: Fault) =>
  ({ cloud }: CreateFixture) =>
    cloud.fault({ operation }, fault);

const setDiskToError = ({ cloud, resourceId }: CreateFixture) => cloud.setVolumeStatus(resourceId, "error");
const removeDisk = ({ cloud, resourceId }: CreateFixture) => cloud.removeVolume(resourceId);

export const FAILURES: Failure[] = [
  {
    reason: "InvalidRequest",
    situation: 'the disk has the status "error"',
    create: SNAPSHOT,
    arrange: setDiskToError,
    status: 400,
    cloud: [400, "EVS.5400"],
    message:
      /: Invalid volume: Volume .* current status is: error\. Must be in Available state\. Correct the request\. /,
  },
  {
    reason: "InvalidRequest",
    situation: 'the disk has the status "error" and EVS responds in the OpenStack format',
    create: SNAPSHOT,
    options: { evsLimits: "classic" },
    arrange: setDiskToError,
    status: 400,
    cloud: [400, "badRequest"],
    message: /: Invalid volume: /,
  },
  {
    reason: "Unsupported",
    situation: "the region has no standard snapshots",
    create: STANDARD,
    options: { withoutStandardSnapshots: true },
    status: 400,
    cloud: [404, "APIGW.0101"],
    message: "The API does not exist or has not been published in the environment",
  },
  {
    reason: "Unsupported",
    situation: "the region accepts no new legacy snapshots",
    create: SNAPSHOT,
    arrange: rejectCreates(400, "EVS.2099", "Creating legacy snapshots is not supported."),
    status: 400,
    cloud: [400, "EVS.2099"],
    message: "Creating legacy snapshots is not supported.",
  },
  {
    reason: "NotFound",
    situation: "the disk does not exist",
    create: SNAPSHOT,
    arrange: removeDisk,
    status: 404,
    cloud: [404, "EVS.5404"],
    message: /: Volume .* could not be found\. The project has no disk, /,
  },
  {
    reason: "NotFound",
    situation: "the disk does not exist and EVS responds in the OpenStack format",
    create: SNAPSHOT,
    options: CLASSIC,
    arrange: removeDisk,
    status: 404,
    cloud: [404, "itemNotFound"],
    message: /: Volume .* could not be found\. The project has no disk, /,
  },
  {
    reason: "NotFound",
    situation: "the server does not exist",
    create: GROUP,
    arrange: ({ cloud, resourceId }) => cloud.removeServer(resourceId),
    status: 404,
    cloud: [404, "EVS.5404"],
    message: /: Server .* could not be found\. The project has no disk, /,
  },
  {
    reason: "NotFound",
    situation: "the cluster does not exist",
    create: CLUSTER,
    arrange: ({ cloud, resourceId }) => cloud.removeCluster(resourceId),
    status: 404,
    cloud: [404, "DWS.0047"],
    message: "Cluster does not exist.",
  },
  {
    reason: "Conflict",
    situation: "another cluster snapshot already has the requested name",
    create: CLUSTER,
    arrange: ({ cloud, resource }) =>
      cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cloud.addCluster().id, name: String(resource.name) }),
    status: 409,
    message: /^Expected a name that is free in this project; "snapshot-\d+" is the name of snapshot /,
  },
  {
    reason: "Conflict",
    situation: "EVS responds 409 with an unknown code",
    create: STANDARD,
    arrange: rejectCreates(409, "EVS.5409", "Already there."),
    status: 409,
    cloud: [409, "EVS.5409"],
    message: "Already there.",
  },
  {
    reason: "Busy",
    situation: "EVS is still creating another snapshot of the disk when the function stops retrying",
    create: STANDARD,
    options: { creationMs: 3_600_000 },
    arrange: ({ cloud, resourceId }) =>
      cloud.addSnapshot({ kind: "standard-snapshot", volumeId: resourceId, status: "creating" }),
    status: 409,
    cloud: [409, "EVS.2409"],
    message: /: A snapshot of volume .* is being created\. The resource is busy/,
  },
  {
    reason: "Busy",
    situation: "the cluster is being resized",
    create: CLUSTER,
    arrange: ({ cloud, resourceId }) => cloud.setCluster(resourceId, { taskStatus: "GROWING" }),
    status: 409,
    cloud: [403, "DWS.7023"],
    message: "Cluster status is not allowed to operation",
  },
  {
    reason: "QuotaExceeded",
    situation: "the disk already has 7 legacy snapshots",
    create: SNAPSHOT,
    arrange({ cloud, resourceId }) {
      for (let made = 0; made < 7; made += 1) cloud.addSnapshot({ kind: "snapshot", volumeId: resourceId });
    },
    status: 413,
    cloud: [413, "EVS.5413"],
    message: "Insufficient snapshot quota.",
  },
  {
    reason: "QuotaExceeded",
    situation: "the snapshot quota of the account is exhausted and EVS responds in the OpenStack format",
    create: SNAPSHOT,
    options: { evsLimits: "classic", snapshotQuota: 0 },
    status: 413,
    cloud: [413, "overLimit"],
    message: "Insufficient snapshot quota.",
  },
  {
    reason: "Throttled",
    situation: "EVS still throttles the account when the function stops retrying",
    create: GROUP,
    arrange: ({ failCreate }) => failCreate({ type: "throttle", window: "1 minute" }),
    status: 429,
    cloud: [429, "APIGW.0308"],
    message: "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute",
  },
  {
    reason: "AccessDenied",
    situation: "the access key has expired",
    create: CLUSTER,
    arrange: ({ cloud }) => cloud.expireCredentials(cloud.credentials.ak),
    status: 502,
    cloud: [401, "APIGW.0301"],
    message: "Incorrect IAM authentication information: token expired",
  },
  {
    reason: "AccessDenied",
    situation: "the agency lacks the permission to create snapshots",
    create: STANDARD,
    arrange: rejectCreates(403, "EVS.5403", "Policy doesn't allow evs:snapshots:create."),
    status: 502,
    cloud: [403, "EVS.5403"],
    message: "Policy doesn't allow evs:snapshots:create.",
  },
  {
    reason: "AccountSuspended",
    situation: "the account is frozen",
    create: SNAPSHOT,
    arrange: rejectCreates(403, "EVS.2144", "The account is frozen."),
    status: 502,
    cloud: [403, "EVS.2144"],
    message: "The account is frozen.",
  },
  {
    reason: "CloudError",
    situation: "EVS responds 503 to every request",
    create: STANDARD,
    arrange: addFault(/^evs/, { type: "status", status: 503 }),
    status: 502,
    cloud: [503, "EVS.5503"],
    message: "Service unavailable.",
  },
  {
    reason: "CloudError",
    situation: "DWS responds 500 to every create request",
    create: CLUSTER,
    arrange: ({ failCreate }) => failCreate({ type: "status", status: 500 }),
    status: 502,
    cloud: [500, "DWS.9999"],
    message: "Internal server error.",
  },
  {
    reason: "CloudError",
    situation: "a load balancer responds 502 with an HTML page",
    create: GROUP,
    arrange: addFault(/list/, { type: "status", status: 502, body: "<html><h1>502 Bad Gateway</h1></html>" }),
    status: 502,
    cloud: [502],
    message: /^GET \/v5\/.*\/snapshot-groups\/detail: 502 without a code: no readable message\. .*Repeat/,
  },
  {
    reason: "Unreachable",
    situation: "no server listens at the address in EVS_ENDPOINT",
    create: SNAPSHOT,
    options: { variables: { EVS_ENDPOINT: "http://127.0.0.1:1" } },
    status: 504,
    message: /^GET \/v2\/.*\/cloudsnapshots\/detail: ECONNREFUSED/,
  },
  {
    reason: "BadResponse",
    situation: "EVS responds 200 with an HTML page",
    create: SNAPSHOT,
    arrange: addFault(/list/, { type: "notJson", after: false, html: true }),
    status: 502,
    cloud: [200],
    message: /expected a JSON object in the 200 response, got "<html>/,
  },
  {
    reason: "BadResponse",
    situation: "DWS responds with a redirect, which would disclose the token if the function followed it",
    create: CLUSTER,
    arrange: addFault(/list/, { type: "redirect", location: "https://example.com/" }),
    status: 502,
    cloud: [307],
    message: /got the redirect 307\. Redirects are not followed\./,
  },
  {
    reason: "OutcomeUnknown",
    situation: "the create request gets no response and no time is left to list the snapshots",
    create: GROUP,
    invocation: { remainingMs: 8_000 },
    arrange: ({ failCreate }) => failCreate({ type: "hang", after: false }),
    status: 504,
    message:
      /^POST \/v5\/.*\/snapshot-groups: no response within \d+ ms.*It is unknown whether the snapshot was created\. /,
  },
  {
    reason: "DeadlineExceeded",
    situation: "the invocation starts 2 s before its deadline",
    create: STANDARD,
    invocation: { remainingMs: 2_000 },
    status: 504,
    message: /^GET \/v5\/.*: not sent, because the invocation's time has run out\.$/,
  },
  {
    reason: "Misconfigured",
    situation: "the function has no agency",
    create: SNAPSHOT,
    invocation: { credentials: {} },
    status: 500,
    message: /^Expected credentials from the function's agency, got none\./,
  },
];

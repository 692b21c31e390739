/** Each reason for which a create can fail. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import type { Reason } from "../../shared/core/errors.ts";
import { CLUSTER, type Create, type CreateFixture, GROUP, SNAPSHOT, STANDARD } from "./creates.ts";
import type { Invocation, TestEnvironmentOptions } from "./environment.ts";

export interface Failure {
  reason: Reason;
  what: string;
  create: Create;
  options?: TestEnvironmentOptions;
  how?: Invocation;
  arrange(fixture: CreateFixture): void;
  status: number;
  /** The code that the cloud sends. If the cloud sends none, the code of the response is the reason. */
  code?: string;
  message: string | RegExp;
  /** The status of the cloud's response, which the record has. */
  cloudStatus?: number;
}

const respond = (status: number, body: unknown): Fault => ({ type: "answer", status, body: JSON.stringify(body) });
const NOWHERE = "http://127.0.0.1:1";

export const FAILURES: Failure[] = [
  {
    reason: "InvalidRequest",
    what: "a disk in the status error",
    create: SNAPSHOT,
    arrange: (fixture) => fixture.cloud.setVolumeStatus(fixture.resourceId, "error"),
    status: 400,
    code: "EVS.5400",
    message:
      /: Invalid volume: Volume .* current status is: error\. Must be in Available state\. Correct the request; /,
    cloudStatus: 400,
  },
  {
    reason: "InvalidRequest",
    what: "a disk in the status error in a cloud that responds with badRequest of OpenStack",
    create: SNAPSHOT,
    options: { evsLimits: "classic" },
    arrange: (fixture) => fixture.cloud.setVolumeStatus(fixture.resourceId, "error"),
    status: 400,
    code: "badRequest",
    message: /: Invalid volume: /,
    cloudStatus: 400,
  },
  {
    reason: "Unsupported",
    what: "a region without standard snapshots",
    create: STANDARD,
    options: { withoutStandardSnapshots: true },
    arrange: () => {},
    status: 400,
    code: "APIGW.0101",
    message: "The API does not exist or has not been published in the environment",
    cloudStatus: 404,
  },
  {
    reason: "Unsupported",
    what: "a region that accepts no new legacy snapshots",
    create: SNAPSHOT,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: "evs.createSnapshot" },
        respond(400, { error: { code: "EVS.2099", message: "Creating legacy snapshots is not supported." } }),
      ),
    status: 400,
    code: "EVS.2099",
    message: "Creating legacy snapshots is not supported.",
    cloudStatus: 400,
  },
  {
    reason: "NotFound",
    what: "a disk that does not exist",
    create: SNAPSHOT,
    arrange: (fixture) => fixture.cloud.removeVolume(fixture.resourceId),
    status: 404,
    code: "EVS.5404",
    message: /: Volume .* could not be found\. The disk, server, cluster or snapshot does not exist /,
    cloudStatus: 404,
  },
  {
    reason: "NotFound",
    what: "a disk that does not exist in a cloud that responds with itemNotFound of OpenStack",
    create: SNAPSHOT,
    options: { evsLimits: "classic", variables: { EVS_LIMITS: "classic" } },
    arrange: (fixture) => fixture.cloud.removeVolume(fixture.resourceId),
    status: 404,
    code: "itemNotFound",
    message: /: Volume .* could not be found\. The disk, server, cluster or snapshot does not exist /,
    cloudStatus: 404,
  },
  {
    reason: "NotFound",
    what: "a server that does not exist",
    create: GROUP,
    arrange: (fixture) => fixture.cloud.removeServer(fixture.resourceId),
    status: 404,
    code: "EVS.5404",
    message: /: Server .* could not be found\. The disk, /,
    cloudStatus: 404,
  },
  {
    reason: "NotFound",
    what: "a cluster that does not exist",
    create: CLUSTER,
    arrange: (fixture) => fixture.cloud.removeCluster(fixture.resourceId),
    status: 404,
    code: "DWS.0047",
    message: "Cluster does not exist.",
    cloudStatus: 404,
  },
  {
    reason: "Conflict",
    what: "a name that another cluster snapshot has",
    create: CLUSTER,
    arrange: ({ cloud, resource }) =>
      cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cloud.addCluster().id, name: String(resource.name) }),
    status: 409,
    message: /^Expected a name that is free in this project; "snapshot-\d+" is the name of snapshot /,
  },
  {
    reason: "Conflict",
    what: "a 409 of the cloud",
    create: STANDARD,
    arrange: ({ cloud }) =>
      cloud.fault({ operation: /create/ }, respond(409, { error: { code: "EVS.5409", message: "Already there." } })),
    status: 409,
    code: "EVS.5409",
    message: "Already there.",
    cloudStatus: 409,
  },
  {
    reason: "Busy",
    what: "a disk that has a snapshot in creation for longer than the caller waits",
    create: STANDARD,
    options: { creationMs: 3_600_000 },
    arrange: (fixture) => {
      fixture.cloud.addSnapshot({ kind: "standard-snapshot", volumeId: fixture.resourceId, status: "creating" });
    },
    status: 409,
    code: "EVS.2409",
    message: /: A snapshot of volume .* is being created\. The resource is occupied/,
    cloudStatus: 409,
  },
  {
    reason: "Busy",
    what: "a cluster that is being resized",
    create: CLUSTER,
    arrange: (fixture) => fixture.cloud.setCluster(fixture.resourceId, { taskStatus: "GROWING" }),
    status: 409,
    code: "DWS.7023",
    message: "Cluster status is not allowed to operation",
    cloudStatus: 403,
  },
  {
    reason: "QuotaExceeded",
    what: "the eighth legacy snapshot of a disk",
    create: SNAPSHOT,
    arrange(fixture) {
      for (let made = 0; made < 7; made += 1)
        fixture.cloud.addSnapshot({ kind: "snapshot", volumeId: fixture.resourceId });
    },
    status: 413,
    code: "EVS.5413",
    message: "Insufficient snapshot quota.",
    cloudStatus: 413,
  },
  {
    reason: "QuotaExceeded",
    what: "an exhausted quota in a cloud that responds with overLimit of OpenStack",
    create: SNAPSHOT,
    options: { evsLimits: "classic", snapshotQuota: 0 },
    arrange: () => {},
    status: 413,
    code: "overLimit",
    message: "Insufficient snapshot quota.",
    cloudStatus: 413,
  },
  {
    reason: "Throttled",
    what: "an account that is throttled for longer than a caller waits",
    create: GROUP,
    arrange: ({ cloud }) => cloud.fault({ operation: /create/ }, { type: "throttle", window: "1 minute" }),
    status: 429,
    code: "APIGW.0308",
    message: "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute",
    cloudStatus: 429,
  },
  {
    reason: "AccessDenied",
    what: "an expired access key",
    create: CLUSTER,
    arrange: ({ cloud }) => cloud.expireCredentials(cloud.credentials.ak),
    status: 502,
    code: "APIGW.0301",
    message: "Incorrect IAM authentication information: token expired",
    cloudStatus: 401,
  },
  {
    reason: "AccessDenied",
    what: "an agency without the permission",
    create: STANDARD,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: /create/ },
        respond(403, { error: { code: "EVS.5403", message: "Policy doesn't allow evs:snapshots:create." } }),
      ),
    status: 502,
    code: "EVS.5403",
    message: "Policy doesn't allow evs:snapshots:create.",
    cloudStatus: 403,
  },
  {
    reason: "AccountSuspended",
    what: "a frozen account",
    create: SNAPSHOT,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: /create/ },
        respond(403, { error: { code: "EVS.2144", message: "The account is frozen." } }),
      ),
    status: 502,
    code: "EVS.2144",
    message: "The account is frozen.",
    cloudStatus: 403,
  },
  {
    reason: "CloudError",
    what: "a service that fails at every request",
    create: STANDARD,
    arrange: ({ cloud }) => cloud.fault({ operation: /^evs/ }, { type: "status", status: 503 }),
    status: 502,
    code: "EVS.5503",
    message: "Service unavailable.",
    cloudStatus: 503,
  },
  {
    reason: "CloudError",
    what: "a service that fails at every create",
    create: CLUSTER,
    arrange: ({ cloud }) => cloud.fault({ operation: /create/ }, { type: "status", status: 500 }),
    status: 502,
    code: "DWS.9999",
    message: "Internal server error.",
    cloudStatus: 500,
  },
  {
    reason: "CloudError",
    what: "an HTML page of a load balancer",
    create: GROUP,
    arrange: ({ cloud }) =>
      cloud.fault(
        { operation: /list/ },
        { type: "status", status: 502, body: "<html><h1>502 Bad Gateway</h1></html>" },
      ),
    status: 502,
    message: /^GET \/v5\/.*\/snapshot-groups\/detail: 502 without a code: no message that could be read\. .*repeat/,
    cloudStatus: 502,
  },
  {
    reason: "Unreachable",
    what: "an endpoint at which nothing listens",
    create: SNAPSHOT,
    options: { variables: { EVS_ENDPOINT: NOWHERE } },
    arrange: () => {},
    status: 504,
    message: /^GET \/v2\/.*\/cloudsnapshots\/detail: ECONNREFUSED/,
  },
  {
    reason: "BadResponse",
    what: "an HTML page with the status 200",
    create: SNAPSHOT,
    arrange: ({ cloud }) => cloud.fault({ operation: /list/ }, { type: "notJson", after: false, html: true }),
    status: 502,
    message: /expected a JSON object with the 200, got "<html>/,
    cloudStatus: 200,
  },
  {
    reason: "BadResponse",
    what: "a redirect, which would disclose the token",
    create: CLUSTER,
    arrange: ({ cloud }) => cloud.fault({ operation: /list/ }, { type: "redirect", location: "https://example.com/" }),
    status: 502,
    message: /got 307, a redirect, which is not followed\./,
    cloudStatus: 307,
  },
  {
    reason: "OutcomeUnknown",
    what: "a create without a response and without time for another list",
    create: GROUP,
    how: { remainingMs: 8_000 },
    arrange: ({ cloud }) => cloud.fault({ operation: /create/ }, { type: "hang", after: false }),
    status: 504,
    message:
      /^POST \/v5\/.*\/snapshot-groups: no answer within \d+ ms.*It is unknown whether the snapshot was created\. /,
  },
  {
    reason: "DeadlineExceeded",
    what: "an invocation that starts shortly before its deadline",
    create: STANDARD,
    how: { remainingMs: 2_000 },
    arrange: () => {},
    status: 504,
    message: /^GET \/v5\/.*: not sent, because the invocation's time has run out\.$/,
  },
  {
    reason: "Misconfigured",
    what: "a function without an agency",
    create: SNAPSHOT,
    how: { credentials: {} },
    arrange: () => {},
    status: 500,
    message: /^Expected credentials from the function's agency; there are none\./,
  },
];

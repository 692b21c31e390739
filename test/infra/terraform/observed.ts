/** Runs every function on the embedded cloud, and collects its calls, the variables that it reads, and its records. */
import { createClusterSnapshot } from "../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../../functions/create-standard-snapshot/handler.ts";
import { diskAttached } from "../../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../../functions/prune-snapshots/handler.ts";
import { reportCoverage } from "../../../functions/report-coverage/handler.ts";
import { scheduledSnapshots } from "../../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../../functions/verify-snapshots/handler.ts";
import type { Runtime } from "../../../shared/middleware/runtime.ts";
import { getRequest } from "../../support/coverage-fixture.ts";
import { apig, createTestEnvironment, START, type TestEnvironment, timerEvent } from "../../support/environment.ts";
import { KINDS } from "../../support/kinds.ts";
import { endpointsAt, TOPIC } from "../../support/user-data.ts";

// biome-ignore lint/suspicious/noExplicitAny: records and events of many shapes
type Any = any;

export interface Observed {
  /** The operation names of the calls that the function made. */
  calls: Set<string>;
  /** The names of all variables that the function tried to read. */
  variables: Set<string>;
  records: Any[];
}

const HOUR_MS = 3_600_000;
const TAGS = { backup: "daily" };
const TARGETS = KINDS.map((kind) => ({ kind, tags: TAGS }));

export const POLICY = {
  policy: "nightly",
  time_zone: "Europe/Berlin",
  targets: TARGETS,
  retention: { keep_last: 1 },
  make_room: true,
};

type Factory = (runtime: Runtime) => (event: Any, context: Any) => Promise<unknown>;

/** Runs functions on an embedded cloud with a server, two disks and a cluster, and collects what each function does. */
class Observer {
  readonly environment: TestEnvironment;
  readonly seen: Record<string, Observed> = {};
  readonly server: string;
  readonly volume: string;
  readonly cluster: string;
  #count = 0;

  constructor(environment: TestEnvironment) {
    this.environment = environment;
    const { cloud } = environment;
    this.server = cloud.addServer({ tags: TAGS }).id;
    this.volume = cloud.addVolume({ serverId: this.server, tags: TAGS }).id;
    cloud.addVolume({ serverId: this.server, tags: TAGS });
    this.cluster = cloud.addCluster({ tags: TAGS }).id;
  }

  async run(name: string, factory: Factory, event: unknown, variables: Record<string, string> = {}): Promise<void> {
    const { cloud, clock, invoke } = this.environment;
    const seen = this.seen[name] ?? { calls: new Set(), variables: new Set(), records: [] };
    this.seen[name] = seen;
    const before = cloud.requests.length;
    const deadline = clock.now() + 60_000;
    const values: Record<string, string | undefined> = {
      REGION: cloud.region,
      ...endpointsAt(cloud.url),
      LTS_LOG_GROUP_ID: TOPIC.group,
      LTS_LOG_STREAM_ID: TOPIC.stream,
      ...variables,
    };
    this.#count += 1;
    const requestId = `observed-${this.#count}`;
    const context = {
      getRequestID: () => requestId,
      getRemainingTimeInMilliSeconds: () => deadline - clock.now(),
      getSecurityAccessKey: () => cloud.credentials.ak,
      getSecuritySecretKey: () => cloud.credentials.sk,
      getSecurityToken: () => cloud.credentials.securityToken ?? "",
      getToken: () => "",
      getUserData: (variable: string) => {
        seen.variables.add(variable);
        return values[variable];
      },
      getProjectID: () => cloud.projectId,
      getPackage: () => "default",
      getFunctionName: () => name,
      getVersion: () => "latest",
    };
    const { records } = await invoke(factory, event, { context });
    seen.records.push(...records);
    for (const { operation } of cloud.requests.slice(before)) seen.calls.add(operation ?? "unknown");
  }
}

/** Adds a disk with the maximum of 7 legacy snapshots, all with the marker of a policy. Returns the id of the disk. */
function addFullDisk(cloud: TestEnvironment["cloud"], policy: string, serverId?: string): string {
  const { id } = cloud.addVolume(serverId === undefined ? {} : { serverId });
  for (let count = 0; count < 7; count += 1) {
    const key = String(count).repeat(32);
    const metadata = { "managed-by": "snapshot-functions", policy, key, content: "00000000" };
    cloud.addSnapshot({ kind: "snapshot", volumeId: id, metadata });
  }
  return id;
}

const trace = (serverId: string, volumeId?: string) => ({
  cts: {
    time: Date.parse(START),
    service_type: "ECS",
    resource_type: "ecs",
    resource_id: serverId,
    trace_name: "attachVolume",
    trace_rating: "normal",
    code: 200,
    request: volumeId === undefined ? {} : { volumeAttachment: { volumeId } },
    response: {},
  },
});

let observed: Promise<Record<string, Observed>> | undefined;

/** Returns the calls, variables and records of every function. Runs the functions once for all tests. */
export function observe(): Promise<Record<string, Observed>> {
  observed ??= observeAll();
  return observed;
}

async function observeAll(): Promise<Record<string, Observed>> {
  const urn = (project: string, region: string) =>
    `urn:fss:${region}:${project}:function:default:scheduled-snapshots:latest`;
  const project = "0123456789abcdef0123456789abcdef";
  const environment = await createTestEnvironment({
    projectId: project,
    region: "eu-west-101",
    topics: [TOPIC],
    functions: [urn(project, "eu-west-101")],
    timeoutSeconds: 60,
  });
  const observer = new Observer(environment);
  const { server, volume, cluster } = observer;
  const { cloud, clock } = environment;
  const night = () => new Date(clock.now()).toISOString();

  const creates: [string, Factory, unknown][] = [
    ["create-snapshot", createSnapshot, { snapshot: { volume_id: volume, force: true } }],
    ["create-standard-snapshot", createStandardSnapshot, { snapshot: { volume_id: volume } }],
    ["create-snapshot-group", createSnapshotGroup, { snapshot_group: { server_id: server } }],
    ["create-cluster-snapshot", createClusterSnapshot, { snapshot: { name: "before-update", cluster_id: cluster } }],
  ];
  for (const [name, factory, body] of creates) {
    // The response to the first create request is lost, so the function lists the snapshots before and after the create request.
    cloud.fault({ operation: /create/, nth: 1 }, { type: "reset", after: true });
    await observer.run(name, factory, apig(body, { "idempotency-key": "once" }));
    await observer.run(name, factory, apig(body, { "idempotency-key": "once" }));
    clock.advance(HOUR_MS);
    await observer.run(name, factory, body);
    clock.advance(HOUR_MS);
  }

  const gate = { deployment_id: "release-1", targets: TARGETS, wait_seconds: 10 };
  await observer.run("pre-deploy", preDeploy, apig(gate));
  await observer.run("pre-deploy", preDeploy, apig({ ...gate, retry_failed: true }));
  clock.advance(HOUR_MS);

  // The second run makes the snapshots of the first run deletable. SHARD_SIZE makes the second run invoke itself for shards.
  for (const variables of [{}, { SHARD_SIZE: "2" }] as Record<string, string>[]) {
    await observer.run("scheduled-snapshots", scheduledSnapshots, timerEvent(POLICY, night()), variables);
    clock.advance(HOUR_MS);
  }
  await observer.run("scheduled-snapshots", scheduledSnapshots, timerEvent(POLICY, night()));
  clock.advance(HOUR_MS);

  // Each of the following disks has the maximum number of snapshots. Only the snapshots of `full` have no marker,
  // so make_room must not delete them.
  const full = cloud.addVolume({ tags: { backup: "full" } }).id;
  for (let count = 0; count < 7; count += 1) cloud.addSnapshot({ kind: "snapshot", volumeId: full });
  const room = { make_room: true, retention: { keep_last: 1 } };
  const fullTargets = (policy: string) => [{ kind: "snapshot", volume_ids: [addFullDisk(cloud, policy)] }];
  const busy = { ...room, policy: "busy", targets: fullTargets("busy") };
  await observer.run("scheduled-snapshots make_room", scheduledSnapshots, timerEvent(busy, night()));
  const roomy = { ...room, deployment_id: "release-2", targets: fullTargets("pre-deploy") };
  await observer.run("pre-deploy make_room", preDeploy, apig(roomy));
  const attached = cloud.addServer().id;
  await observer.run(
    "disk-attached snapshot make_room",
    diskAttached,
    trace(attached, addFullDisk(cloud, "disk-attached", attached)),
    { DISK_ATTACHED_KIND: "snapshot", DISK_ATTACHED_RETENTION: JSON.stringify(room.retention) },
  );

  const crowded = { ...POLICY, policy: "crowded", targets: [{ kind: "snapshot", volume_ids: [full] }] };
  await observer.run("scheduled-snapshots", scheduledSnapshots, timerEvent(crowded, night()));
  await observer.run("scheduled-snapshots", scheduledSnapshots, timerEvent({ ...crowded, unknown: 1 }, night()));
  const nothing = [{ kind: "snapshot", tags: { backup: "no resource has this" } }];
  await observer.run("scheduled-snapshots", scheduledSnapshots, timerEvent({ ...crowded, targets: nothing }, night()));

  await observer.run("verify-snapshots", verifySnapshots, timerEvent({}, night()));
  cloud.addSnapshot({
    kind: "snapshot",
    volumeId: full,
    status: "creating",
    metadata: { "managed-by": "snapshot-functions", policy: "crowded", key: "0".repeat(32), content: "00000000" },
  });
  clock.advance(48 * HOUR_MS);
  await observer.run("verify-snapshots", verifySnapshots, timerEvent({ stuck_after_minutes: 60 }, night()));

  await observer.run("prune-snapshots", pruneSnapshots, timerEvent(POLICY, night()));
  const gates = { policy: "pre-deploy", retention: { keep_last: 2 } };
  await observer.run("prune-snapshots", pruneSnapshots, timerEvent(gates, night()));
  // Without a retention, prune-snapshots only deletes duplicates.
  for (const policy of ["crowded", "disk-attached", "pre-deploy", ...creates.map(([name]) => name)]) {
    await observer.run("prune-snapshots", pruneSnapshots, timerEvent({ policy }, night()));
  }

  // The disk with a failed snapshot is failing, and the new disk is unprotected.
  cloud.addSnapshot({ kind: "snapshot", volumeId: cloud.addVolume().id, status: "error" });
  cloud.addVolume();
  await observer.run("report-coverage", reportCoverage, getRequest());
  await observer.run("report-coverage", reportCoverage, timerEvent({ max_age_hours: 24 }, night()));
  // A mistake in the tags of the timer is an alarm. The same mistake in a request is not.
  const misspelt = { tags: "backup=dayly" };
  await observer.run("report-coverage", reportCoverage, getRequest(misspelt));
  await observer.run("report-coverage", reportCoverage, timerEvent(misspelt, night()));

  for (const DISK_ATTACHED_KIND of ["snapshot", "standard-snapshot"]) {
    const fresh = cloud.addServer().id;
    const disk = cloud.addVolume({ serverId: fresh }).id;
    const name = `disk-attached ${DISK_ATTACHED_KIND}`;
    await observer.run(name, diskAttached, trace(fresh, disk), { DISK_ATTACHED_KIND });
    await observer.run(name, diskAttached, trace(fresh), { DISK_ATTACHED_KIND });
  }
  return observer.seen;
}

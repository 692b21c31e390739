/** What the functions really do on the embedded cloud: the calls they send, the variables they read, what they record. */
import { createClusterSnapshot } from "../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../../functions/create-standard-snapshot/handler.ts";
import { diskAttached } from "../../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../../functions/verify-snapshots/handler.ts";
import type { Runtime } from "../../../shared/middleware/runtime.ts";
import { apig, createTestEnvironment, START, type TestEnvironment, timerEvent } from "../../support/environment.ts";

// biome-ignore lint/suspicious/noExplicitAny: records and events of many shapes
type Any = any;

export interface Observed {
  /** Operations of the embedded cloud. */
  calls: Set<string>;
  /** By name, whether or not they are set. */
  variables: Set<string>;
  records: Any[];
}

const TOPIC = { group: "11111111-2222-4333-8444-555555555555", stream: "66666666-7777-4888-8999-000000000000" };
const HOUR_MS = 3_600_000;
const KINDS = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];
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

/** A site with a server, two disks of it and a cluster, all with tags, and a way to run functions that keeps watch. */
class Watch {
  readonly site: TestEnvironment;
  readonly seen: Record<string, Observed> = {};
  readonly server: string;
  readonly volume: string;
  readonly cluster: string;
  #count = 0;

  constructor(site: TestEnvironment) {
    this.site = site;
    const { cloud } = site;
    this.server = cloud.addServer({ tags: TAGS }).id;
    this.volume = cloud.addVolume({ serverId: this.server, tags: TAGS }).id;
    cloud.addVolume({ serverId: this.server, tags: TAGS });
    this.cluster = cloud.addCluster({ tags: TAGS }).id;
  }

  async run(name: string, factory: Factory, event: unknown, variables: Record<string, string> = {}): Promise<void> {
    const { cloud, clock, invoke } = this.site;
    const seen = this.seen[name] ?? { calls: new Set(), variables: new Set(), records: [] };
    this.seen[name] = seen;
    const before = cloud.requests.length;
    const deadline = clock.now() + 60_000;
    const values: Record<string, string | undefined> = {
      REGION: cloud.region,
      ...Object.fromEntries(["EVS", "DWS", "ECS", "LTS", "FUNCTIONGRAPH"].map((one) => [`${one}_ENDPOINT`, cloud.url])),
      LTS_LOG_GROUP_ID: TOPIC.group,
      LTS_LOG_STREAM_ID: TOPIC.stream,
      ...variables,
    };
    this.#count += 1;
    const requestId = `watched-${this.#count}`;
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

/** A disk that holds as many snapshots as it can, of one policy. */
function crowd(cloud: TestEnvironment["cloud"], policy: string, serverId?: string): string {
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

/** Runs every function through what it can be asked to do; once for all tests. */
export function observe(): Promise<Record<string, Observed>> {
  observed ??= watch();
  return observed;
}

async function watch(): Promise<Record<string, Observed>> {
  const urn = (project: string, region: string) =>
    `urn:fss:${region}:${project}:function:default:scheduled-snapshots:latest`;
  const project = "0123456789abcdef0123456789abcdef";
  const site = await createTestEnvironment({
    projectId: project,
    region: "eu-west-101",
    topics: [TOPIC],
    functions: [urn(project, "eu-west-101")],
    timeoutSeconds: 60,
  });
  const watched = new Watch(site);
  const { server, volume, cluster } = watched;
  const { cloud, clock } = site;
  const night = () => new Date(clock.now()).toISOString();

  const creates: [string, Factory, unknown][] = [
    ["create-snapshot", createSnapshot, { snapshot: { volume_id: volume, force: true } }],
    ["create-standard-snapshot", createStandardSnapshot, { snapshot: { volume_id: volume } }],
    ["create-snapshot-group", createSnapshotGroup, { snapshot_group: { server_id: server } }],
    ["create-cluster-snapshot", createClusterSnapshot, { snapshot: { name: "before-update", cluster_id: cluster } }],
  ];
  for (const [name, factory, body] of creates) {
    // The first answer is lost: it looks before it creates, and again afterwards.
    cloud.fault({ operation: /create/, nth: 1 }, { type: "reset", after: true });
    await watched.run(name, factory, apig(body, { "idempotency-key": "once" }));
    await watched.run(name, factory, apig(body, { "idempotency-key": "once" }));
    clock.advance(HOUR_MS);
    await watched.run(name, factory, body);
    clock.advance(HOUR_MS);
  }

  const gate = { deployment_id: "release-1", targets: TARGETS, wait_seconds: 10 };
  await watched.run("pre-deploy", preDeploy, apig(gate));
  await watched.run("pre-deploy", preDeploy, apig({ ...gate, retry_failed: true }));
  clock.advance(HOUR_MS);

  // Twice, so that there is something to delete, and with more targets than one invocation takes.
  for (const variables of [{}, { SHARD_SIZE: "2" }] as Record<string, string>[]) {
    await watched.run("scheduled-snapshots", scheduledSnapshots, timerEvent(POLICY, night()), variables);
    clock.advance(HOUR_MS);
  }
  await watched.run("scheduled-snapshots", scheduledSnapshots, timerEvent(POLICY, night()));
  clock.advance(HOUR_MS);

  // A disk that holds as many snapshots as it can, none of them ours; and what is done about it where they are.
  const full = cloud.addVolume({ tags: { backup: "full" } }).id;
  for (let count = 0; count < 7; count += 1) cloud.addSnapshot({ kind: "snapshot", volumeId: full });
  const room = { make_room: true, retention: { keep_last: 1 } };
  const ours = (policy: string) => [{ kind: "snapshot", volume_ids: [crowd(cloud, policy)] }];
  const busy = { ...room, policy: "busy", targets: ours("busy") };
  await watched.run("scheduled-snapshots make_room", scheduledSnapshots, timerEvent(busy, night()));
  const roomy = { ...room, deployment_id: "release-2", targets: ours("pre-deploy") };
  await watched.run("pre-deploy make_room", preDeploy, apig(roomy));
  const attached = cloud.addServer().id;
  await watched.run(
    "disk-attached snapshot make_room",
    diskAttached,
    trace(attached, crowd(cloud, "disk-attached", attached)),
    { DISK_ATTACHED_KIND: "snapshot", DISK_ATTACHED_RETENTION: JSON.stringify(room.retention) },
  );

  const crowded = { ...POLICY, policy: "crowded", targets: [{ kind: "snapshot", volume_ids: [full] }] };
  await watched.run("scheduled-snapshots", scheduledSnapshots, timerEvent(crowded, night()));
  await watched.run("scheduled-snapshots", scheduledSnapshots, timerEvent({ ...crowded, unknown: 1 }, night()));
  const idle = [{ kind: "snapshot", tags: { backup: "nobody has this" } }];
  await watched.run("scheduled-snapshots", scheduledSnapshots, timerEvent({ ...crowded, targets: idle }, night()));

  await watched.run("verify-snapshots", verifySnapshots, timerEvent({}, night()));
  cloud.addSnapshot({
    kind: "snapshot",
    volumeId: full,
    status: "creating",
    metadata: { "managed-by": "snapshot-functions", policy: "crowded", key: "0".repeat(32), content: "00000000" },
  });
  clock.advance(48 * HOUR_MS);
  await watched.run("verify-snapshots", verifySnapshots, timerEvent({ stuck_after_minutes: 60 }, night()));

  await watched.run("prune-snapshots", pruneSnapshots, timerEvent(POLICY, night()));
  const gates = { policy: "pre-deploy", retention: { keep_last: 2 } };
  await watched.run("prune-snapshots", pruneSnapshots, timerEvent(gates, night()));

  for (const DISK_ATTACHED_KIND of ["snapshot", "standard-snapshot"]) {
    const fresh = cloud.addServer().id;
    const disk = cloud.addVolume({ serverId: fresh }).id;
    const name = `disk-attached ${DISK_ATTACHED_KIND}`;
    await watched.run(name, diskAttached, trace(fresh, disk), { DISK_ATTACHED_KIND });
    await watched.run(name, diskAttached, trace(fresh), { DISK_ATTACHED_KIND });
  }
  return watched.seen;
}

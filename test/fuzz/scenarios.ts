/** Builds an event for a function, and adds the resources and snapshots that the event needs to the embedded cloud. */
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { createBody, DISK_KINDS, KINDS, type Kind, targetOf } from "../support/kinds.ts";
import { addForeignSnapshot, addOwnSnapshot, addTaggedResource, TAGS, type Target } from "./inventory.ts";
import type { Random } from "./random.ts";

export interface Scenario {
  functionName: string;
  event: unknown;
  variables: Record<string, string>;
  remainingMs: number;
  trigger: "http" | "direct" | "timer" | "cts";
  /** The resources that must get a snapshot from the function, because the event selects the resources by id or by tags. */
  targets: Target[];
  /** Matches the names of the list calls that find the resources, or is undefined if the event contains the ids. */
  selectedBy: RegExp | undefined;
}

/** The embedded cloud, the random choices and the call for which `buildScenario` builds a scenario. */
interface ScenarioContext {
  cloud: EmbeddedCloud;
  random: Random;
  /** The call that gets random responses. */
  operation: string;
}

/** Returns the kinds of snapshots for which the functions make the call. */
function kindsFor(operation: string): Kind[] {
  if (operation === "evs.listVolumes" || operation === "evs.showVolume") return DISK_KINDS;
  if (operation === "evs.listStandardSnapshots") return ["standard-snapshot", "snapshot-group"];
  if (/^evs\.\w+StandardSnapshot$/.test(operation)) return ["standard-snapshot"];
  if (/^evs\.\w+SnapshotGroups?$/.test(operation) || operation === "ecs.listServers") return ["snapshot-group"];
  if (/^evs\./.test(operation)) return ["snapshot"];
  return /^dws\./.test(operation) ? ["cluster-snapshot"] : KINDS;
}

const RESOURCE_LISTS = /\.list(Volumes|Servers|Clusters)$/;
const isDeletion = (operation: string) => /\.delete/.test(operation);

/** Builds a scenario in which the function makes the call that gets random responses. */
export function buildScenario(functionName: string, context: ScenarioContext): Scenario {
  const { random } = context;
  const builder = BUILDERS[functionName];
  if (builder === undefined)
    throw new Error(
      `The fuzz has no scenario for the function ${functionName}. Add a builder to test/fuzz/scenarios.ts.`,
    );
  const common = { functionName, variables: {}, selectedBy: undefined };
  const remainingMs = random.pick([3_000, 10_000, 30_000, 60_000, 60_000, 300_000, 900_000]);
  return { ...common, remainingMs, ...builder(context, functionName) };
}

type Built = Omit<Scenario, "functionName" | "variables" | "remainingMs" | "selectedBy"> & Partial<Scenario>;

const BUILDERS: Record<string, (context: ScenarioContext, functionName: string) => Built> = {
  "create-snapshot": create,
  "create-standard-snapshot": create,
  "create-snapshot-group": create,
  "create-cluster-snapshot": create,
  "scheduled-snapshots": schedule,
  "disk-attached": attach,
  "pre-deploy": deploy,
  "verify-snapshots": verify,
  "prune-snapshots": prune,
  "report-coverage": report,
};

const apig = (body: unknown, headers: Record<string, string> = {}) => ({
  body: Buffer.from(JSON.stringify(body)).toString("base64"),
  requestContext: {
    apiId: "bc1dcffdaa35474d897cd53425a4c08e",
    requestId: "11cdcdcf33949dc6d722640a13091c77",
    context: "RELEASE",
  },
  queryStringParameters: {},
  httpMethod: "POST",
  pathParameters: {},
  headers: { "content-type": "application/json", host: "snapshots.example.com", ...headers },
  path: "/",
  isBase64Encoded: true,
});

const timer = (body: unknown, { cloud, random }: ScenarioContext) => ({
  version: "v1.0",
  time: new Date(cloud.clock.now() - random.int(0, 5_000)).toISOString(),
  trigger_type: "TIMER",
  trigger_name: "Timer_001",
  user_event: JSON.stringify(body),
});

function create({ cloud, random }: ScenarioContext, functionName: string): Built {
  const kind = functionName.replace(/^create-/, "") as Kind;
  const resource = addTaggedResource(cloud, kind, random);
  const target = { kind, resource };
  if (random.chance(0.5)) addForeignSnapshot(cloud, target, 5);
  if (random.chance(0.3)) addOwnSnapshot(cloud, target, { policy: functionName, hours: 30 });
  const described = random.chance(0.3) ? { description: "before the release" } : {};
  const name = `release-${random.text("abcdef0123456789", 8)}`;
  const named = kind === "cluster-snapshot" || random.chance(0.3) ? { name } : {};
  const body = createBody(kind, resource, { ...described, ...named });
  if (random.chance(0.3)) return { trigger: "direct", event: body, targets: [target] };
  const headers: Record<string, string> = random.chance(0.5) ? { "idempotency-key": random.uuid() } : {};
  return { trigger: "http", event: apig(body, headers), targets: [target] };
}

/**
 * Adds resources for one or two kinds of snapshots. In the result, `selectors` is the event field that selects these resources.
 */
function select({ cloud, random, operation }: ScenarioContext, max: number, kinds: Kind[]) {
  const chosen = [random.pick(kinds), ...(random.chance(0.25) ? [random.pick(KINDS)] : [])];
  const byTags = RESOURCE_LISTS.test(operation) || random.chance(0.4);
  const unique = [...new Set(chosen)];
  // Use only one kind of disk snapshot with tags, because two kinds with the same tags would select the same disks.
  const distinct = byTags && unique.every((kind) => DISK_KINDS.includes(kind)) ? unique.slice(0, 1) : unique;
  const targets: Target[] = [];
  const selectors = distinct.map((kind) => {
    const ids = Array.from({ length: random.int(1, max) }, () => addTaggedResource(cloud, kind, random));
    targets.push(...ids.map((resource) => ({ kind, resource })));
    return byTags ? { kind, tags: TAGS } : targetOf(kind, ids);
  });
  for (const target of targets) if (random.chance(0.3)) addForeignSnapshot(cloud, target, 5);
  return { selectors, targets, selectedBy: byTags ? RESOURCE_LISTS : undefined };
}

const RETENTION = { keep_last: 3 };

/** Adds legacy snapshots until each disk has the maximum of 7, so a function must delete one before it creates another. */
function fillDisks({ cloud, random }: ScenarioContext, targets: readonly Target[], policy: string): void {
  for (const target of targets) {
    if (target.kind !== "snapshot") continue;
    const rest = 7 - cloud.snapshots("snapshot").filter(({ volume_id }) => volume_id === target.resource).length;
    for (let hours = 1; hours <= rest; hours += 1) {
      addOwnSnapshot(cloud, target, { policy, hours: hours * 24, ...(random.chance(0.1) ? { status: "error" } : {}) });
    }
  }
}

function schedule(context: ScenarioContext): Built {
  const { random, operation } = context;
  const isSharded = operation === "functiongraph.invokeAsync";
  const { selectors, targets, selectedBy } = select(context, isSharded ? 8 : 4, kindsFor(operation));
  const makesRoom = isDeletion(operation) || random.chance(0.1);
  if (makesRoom) fillDisks(context, targets, "nightly");
  const room = makesRoom ? { make_room: true, retention: RETENTION } : {};
  const event = timer({ policy: "nightly", targets: selectors, ...room }, context);
  const variables: Record<string, string> = {
    SHARD_SIZE: isSharded ? random.pick(["1", "2", "3"]) : random.pick(["500", "500", "2"]),
    MAX_CONCURRENCY: random.pick(["1", "8"]),
  };
  return { trigger: "timer", event, targets, selectedBy, variables };
}

function attach(context: ScenarioContext): Built {
  const { cloud, random, operation } = context;
  const kind = random.pick(kindsFor(operation).filter((one) => DISK_KINDS.includes(one)));
  const makesRoom = isDeletion(operation) || random.chance(0.1);
  const named = operation === "evs.showVolume" || (operation !== "evs.listVolumes" && random.chance(0.6));
  const resource = addTaggedResource(cloud, kind, random);
  const target = { kind, resource };
  const server = cloud.addServer({ id: random.uuid() }).id;
  cloud.attach(resource, server, { after: random.pick([0, 0, 0, 20_000]) });
  if (makesRoom) fillDisks(context, [target], "disk-attached");
  const trace = {
    trace_name: "attachVolume",
    service_type: "ECS",
    trace_rating: "normal",
    code: "200",
    time: Math.round(cloud.clock.now()),
    resource_id: server,
    request: named ? JSON.stringify({ volumeAttachment: { volumeId: resource } }) : "",
  };
  const variables = {
    DISK_ATTACHED_KIND: kind,
    ...(makesRoom ? { DISK_ATTACHED_RETENTION: JSON.stringify(RETENTION) } : {}),
  };
  return {
    trigger: "cts",
    event: { cts: trace },
    targets: [target],
    variables,
    selectedBy: named ? undefined : /listVolumes/,
  };
}

function deploy(context: ScenarioContext): Built {
  const { random, operation } = context;
  const makesRoom = isDeletion(operation) || random.chance(0.1);
  const { selectors, targets, selectedBy } = select(context, 3, kindsFor(operation));
  if (makesRoom) fillDisks(context, targets, "pre-deploy");
  const body = {
    deployment_id: `release-${random.text("0123456789abcdef", 10)}`,
    targets: selectors,
    ...(random.chance(0.6) ? { wait_seconds: random.pick([0, 10, 50]) } : {}),
    ...(random.chance(0.2) ? { retry_failed: true } : {}),
    ...(makesRoom ? { make_room: true, retention: RETENTION } : {}),
  };
  return { trigger: "http", event: apig(body), targets, selectedBy };
}

/** Adds resources with several snapshots each. Some snapshots have failed, are unfinished, are foreign, or have a hold label. */
function addHistory({ cloud, random, operation }: ScenarioContext, policy: string): void {
  const kinds = operation === "lts.reportLogs" ? KINDS : [...new Set([...kindsFor(operation), random.pick(KINDS)])];
  for (const kind of kinds) {
    for (let count = random.int(1, 2); count > 0; count -= 1) {
      const target = { kind, resource: addTaggedResource(cloud, kind, random) };
      for (let index = 0; index < random.int(2, 6); index += 1) {
        const [failed, stuck] = kind === "cluster-snapshot" ? ["UNAVAILABLE", "CREATING"] : ["error", "creating"];
        const status = random.pick([undefined, undefined, undefined, failed, stuck]);
        const seeded = { policy, hours: 1 + index * random.int(6, 30), hold: random.chance(0.1) };
        addOwnSnapshot(cloud, target, status === undefined ? seeded : { ...seeded, status });
      }
      addForeignSnapshot(cloud, target, 40);
    }
  }
}

function verify(context: ScenarioContext): Built {
  addHistory(context, "nightly");
  return { trigger: "timer", event: timer({}, context), targets: [] };
}

function prune(context: ScenarioContext): Built {
  const { random, operation } = context;
  addHistory(context, "nightly");
  const dry = !isDeletion(operation) && random.chance(0.3) ? { dry_run: true } : {};
  const retention = { keep_last: random.pick([1, 2]), ...(random.chance(0.3) ? { keep_daily: 2 } : {}) };
  return { trigger: "timer", event: timer({ policy: "nightly", retention, ...dry }, context), targets: [] };
}

function report(context: ScenarioContext): Built {
  addHistory(context, "nightly");
  return { trigger: "timer", event: timer({}, context), targets: [] };
}

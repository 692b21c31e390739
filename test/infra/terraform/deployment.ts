/** Checks that a plan deploys, configures and triggers the functions, and grants exactly the permissions that they need. */
import { alarmFaults } from "./alarm-faults.ts";
import { deploymentDataFaults } from "./deployment-data-faults.ts";
import { gatewayFaults } from "./gateway-faults.ts";
import type { Observed } from "./observed.ts";
import type { Plan, Planned } from "./plan.ts";
import { RIGHTS } from "./readme.ts";
import { definitionOf, different, isEvent, isHttp, isPruned, unprunedFunctions, urnOf, type Wanted } from "./wanted.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

/** Returns everything that is missing, superfluous or wrong in a deployment. */
export function deploymentFaults(plan: Plan, wanted: Wanted, observed: Record<string, Observed>): string[] {
  const of = (type: string) => plan.resources.filter((one) => one.type === `huaweicloud_${type}`);
  const functions = of("fgs_function");
  return [
    ...different(
      "functions",
      functions.map(({ values }) => values.name),
      wanted.functions,
    ),
    ...functions.flatMap((one) => functionFaults(one, wanted)),
    ...functions.flatMap((one) => variableFaults(one, observed, wanted)),
    ...unusedVariables(functions, observed),
    ...deploymentDataFaults(functions, wanted),
    ...rightsFaults(plan, functions, observed, wanted),
    ...timerFaults(of("fgs_function_trigger"), wanted),
    ...eventFaults(plan),
    ...attachedFaults(plan, wanted),
    ...asyncFaults(of("fgs_async_invoke_configuration"), wanted),
    ...gatewayFaults(plan, wanted),
    ...alarmFaults(of("lts_keywords_alarm_rule"), wanted, observed),
    ...of("smn_topic")
      .filter(
        ({ address }) => !of("smn_subscription").some(({ values }) => values.topic_urn === `<${address}.topic_urn>`),
      )
      .map(({ address }) => `${address}: the topic has no subscription`),
    ...(plan.provider.region === plan.locals.variables.REGION && plan.provider.project_name === plan.locals.project
      ? []
      : ["the provider uses another region or project than the functions"]),
  ];
}

function functionFaults({ address, values }: Planned, wanted: Wanted): string[] {
  const { name } = values;
  const expected: Record<string, Any> = {
    handler: "index.handler",
    code_type: "zip",
    code_filename: `${name}.zip`,
    func_code: `<infra/terraform/../../dist/${name}.zip>`,
    memory_size: definitionOf(name)?.memoryMb,
    enable_lts_log: true,
    // Two instances could process two traces of one attachment concurrently and create a duplicate snapshot.
    max_instance_num: name === "disk-attached" ? "1" : null,
  };
  // An HTTP function can take up to 55 s to respond, so its timeout must be at least 60 s.
  const isTooShort = isHttp(name, wanted) ? values.timeout < 60 : values.timeout < 300;
  const missingLogArguments = ["log_group_id", "log_group_name", "log_stream_id", "log_stream_name"].filter(
    (one) => !values[one],
  );
  return [
    ...Object.entries(expected)
      .filter(([argument, value]) => (values[argument] ?? null) !== value)
      .map(([argument, value]) => `${address}.${argument}: expected ${value}, got ${values[argument]}`),
    ...(isTooShort ? [`${address}.timeout: ${values.timeout} s is too short`] : []),
    ...missingLogArguments.map((one) => `${address}.${one}: the four log arguments go together`),
  ];
}

/** Returns what observed.ts recorded about a function with the deployment's kind of snapshot and make_room setting. */
const observedOf = (name: string, observed: Record<string, Observed>, wanted: Wanted): Observed => {
  const plain = name === "disk-attached" ? `${name} ${wanted.diskAttachedKind}` : name;
  const seen = observed[plain];
  if (seen === undefined) throw new Error(`${name} was not observed. Run it in test/infra/terraform/observed.ts.`);
  const more = wanted.makingRoom.includes(name) ? observed[`${plain} make_room`] : undefined;
  return {
    calls: new Set([...seen.calls, ...(more?.calls ?? [])]),
    // disk-attached reads DISK_ATTACHED_RETENTION even if the deployment does not set it. No deployment sets HTTP_TIMEOUT_MS,
    // because its default depends on the function.
    variables: new Set(
      [...seen.variables].filter(
        (one) => one !== "HTTP_TIMEOUT_MS" && (more !== undefined || !one.endsWith("_RETENTION")),
      ),
    ),
    records: seen.records,
  };
};

function variableFaults({ address, values }: Planned, observed: Record<string, Observed>, wanted: Wanted): string[] {
  const set: Record<string, Any> = JSON.parse(values.user_data);
  const { variables } = observedOf(values.name, observed, wanted);
  const length = Object.entries(set).reduce((sum, [name, value]) => sum + name.length + String(value).length, 0);
  return [
    ...[...variables].filter((name) => !set[name]).map((name) => `${address}.user_data: ${name} is read and not set`),
    ...Object.entries(set)
      .filter(([, value]) => typeof value !== "string")
      .map(([name]) => `${address}.user_data: ${name} is not a string`),
    ...(Object.keys(set).length > 20
      ? [`${address}.user_data: ${Object.keys(set).length} variables, 20 are allowed`]
      : []),
    ...(length > 4096 ? [`${address}.user_data: ${length} characters, 4096 are allowed`] : []),
  ];
}

/** Reports variables that no function reads, because they are probably misspelled. */
function unusedVariables(functions: Planned[], observed: Record<string, Observed>): string[] {
  const read = new Set(Object.values(observed).flatMap(({ variables }) => [...variables]));
  const set = new Set(functions.flatMap(({ values }) => Object.keys(JSON.parse(values.user_data))));
  return [...set].filter((name) => !read.has(name)).map((name) => `user_data: no function reads ${name}`);
}

function rightsFaults(plan: Plan, functions: Planned[], observed: Record<string, Observed>, wanted: Wanted): string[] {
  const of = (type: string) =>
    new Map(
      plan.resources.filter((one) => one.type === `huaweicloud_${type}`).map(({ values }) => [values.name, values]),
    );
  const [roles, agencies] = [of("identity_role"), of("identity_agency")];
  const statements = (role: string): Any[] => JSON.parse(roles.get(role)?.policy ?? '{"Statement":[]}').Statement;
  const granted = (agency: string): string[] =>
    (agencies.get(agency)?.project_role ?? []).flatMap((one: Any) =>
      one.roles.flatMap((role: string) =>
        statements(role).flatMap(({ Effect, Action }) => (Effect === "Allow" ? Action : [])),
      ),
    );
  const users = functions.map(({ values }) => values.app_agency);
  return [
    ...functions.flatMap(({ address, values: { name, app_agency, agency } }) => {
      const { calls } = observedOf(name, observed, wanted);
      const needed = new Set([...calls].flatMap((call) => RIGHTS[call]?.actions ?? [`an action for ${call}`]));
      return [
        ...different(`${address}: the agency ${app_agency}`, granted(app_agency), [...needed]),
        ...different(`${address}: the agency ${agency}`, granted(agency), ["smn:topic:list", "smn:topic:publish"]),
        ...(users.filter((one) => one === app_agency).length > 1
          ? [`${address}: the function shares the agency ${app_agency}`]
          : []),
        ...different(
          `local.functions["${name}"].calls`,
          [...plan.locals.functions[name].calls, "lts.reportLogs"],
          [...calls],
        ),
      ];
    }),
    ...[...agencies.values()].flatMap(({ name, delegated_service_name, project_role = [], ...others }) => [
      ...(delegated_service_name === "op_svc_cff" ? [] : [`the agency ${name} is not delegated to FunctionGraph`]),
      ...project_role
        .filter(({ project }: Any) => project !== plan.locals.project)
        .map(({ project }: Any) => `the agency ${name} has permissions in the project ${project}`),
      ...Object.keys(others)
        .filter((argument) => argument.endsWith("_roles"))
        .map((argument) => `the agency ${name} has ${argument}`),
    ]),
    ...[...roles.values()]
      .filter(({ type }) => type !== "XA")
      .map(({ name }) => `the policy ${name} is not a project-level policy`),
    ...Object.entries<string[]>(plan.locals.actions).flatMap(([call, actions]) =>
      different(`local.actions["${call}"]`, actions, RIGHTS[call]?.actions ?? []),
    ),
  ];
}

/** Checks that the Terraform output `events` equals the events that the timers send. */
function eventFaults({ resources, outputs }: Plan): string[] {
  const timers = resources.filter(({ values }) => values.type === "TIMER");
  return [
    ...different(
      "events",
      Object.keys(outputs.events),
      timers.map(({ key }) => String(key)),
    ),
    ...timers.flatMap(({ key, values }) => {
      const { time, ...event } = JSON.parse(outputs.events[String(key)] ?? "{}");
      const { user_event } = JSON.parse(values.event_data);
      const sent = { version: "v1.0", trigger_type: "TIMER", trigger_name: key, user_event };
      const same = JSON.stringify(sorted(event)) === JSON.stringify(sorted(sent));
      return same && !Number.isNaN(Date.parse(time)) ? [] : [`events: ${key} differs from the event of its timer`];
    }),
  ];
}

/** The schedule of the timers that only delete duplicates. */
const DUPLICATES_SCHEDULE = "CRON_TZ=UTC 0 40 3 * * *";

function timerFaults(triggers: Planned[], wanted: Wanted): string[] {
  const timers = triggers
    .filter(({ values }) => values.type === "TIMER")
    .map(({ values }) => ({ ...values, ...JSON.parse(values.event_data) }));
  const find = (name: string, user_event: object) =>
    timers.filter(
      (one) =>
        one.function_urn === urnOf(name) &&
        JSON.stringify(sorted(JSON.parse(one.user_event))) === JSON.stringify(sorted(user_event)),
    );
  const expected = [
    { name: "verify-snapshots", policy: "", user_event: { lookback_minutes: 1440 }, schedule: undefined },
    ...wanted.functions.filter((name) => name === "report-coverage").map((name) => coverageTimer(name, wanted)),
    ...unprunedFunctions(wanted).map((policy) => ({
      name: "prune-snapshots",
      policy,
      user_event: { policy },
      schedule: DUPLICATES_SCHEDULE,
    })),
    ...Object.entries(wanted.policies).flatMap(
      ([policy, { schedule, prune_schedule, every_hours, prune_every_hours, ...rest }]) => {
        const user_event = { policy, ...rest };
        const zone = rest.time_zone ?? "UTC";
        return [
          ...(schedule
            ? [{ name: "scheduled-snapshots", policy, user_event, schedule: `CRON_TZ=${zone} ${schedule}` }]
            : []),
          ...(isPruned(wanted, rest)
            ? [
                {
                  name: "prune-snapshots",
                  policy,
                  user_event,
                  schedule: rest.retention ? `CRON_TZ=${zone} ${prune_schedule}` : DUPLICATES_SCHEDULE,
                },
              ]
            : []),
        ];
      },
    ),
  ];
  return [
    ...expected.flatMap(({ name, policy, user_event, schedule }) => {
      const [found, ...more] = find(name, user_event);
      const what = `the timer of ${name} ${policy}`.trim();
      if (found === undefined) return [`${what} is missing`];
      return [
        ...(more.length > 0 ? [`${what} is defined twice`] : []),
        ...(found.status === "ACTIVE" ? [] : [`${what} is ${found.status}`]),
        ...(schedule === undefined || found.schedule === schedule
          ? []
          : [`${what} has the schedule ${found.schedule}`]),
        ...(/^CRON_TZ=\S+( \S+){6}$/.test(found.schedule) ? [] : [`${what} has no cron schedule with a time zone`]),
      ];
    }),
    ...(timers.length > expected.length ? [`there are ${timers.length - expected.length} superfluous timers`] : []),
    ...timers
      .filter(({ user_event }) => Buffer.byteLength(user_event) >= 2_048)
      .map(({ name }) => `the timer ${name} has a user_event of 2048 bytes or more`),
  ];
}

function coverageTimer(name: string, { coverage }: Wanted) {
  const { schedule = "0 0 7 * * *", time_zone = "UTC", every_hours: _, ...user_event } = coverage;
  return { name, policy: "", user_event, schedule: `CRON_TZ=${time_zone} ${schedule}` };
}

const sorted = (value: Any): Any =>
  value === null || typeof value !== "object" || Array.isArray(value)
    ? Array.isArray(value)
      ? value.map(sorted)
      : value
    : Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((key) => [key, sorted(value[key])]),
      );

function attachedFaults(plan: Plan, wanted: Wanted): string[] {
  const triggers = plan.resources.filter(
    ({ type, values }) => type.endsWith("_fgs_function_trigger") && values.type === "CTS",
  );
  const [found, ...more] = triggers;
  if (!wanted.functions.includes("disk-attached")) return triggers.map(({ address }) => `${address} is superfluous`);
  if (found === undefined) return ["the CTS trigger of disk-attached is missing"];
  const { operations } = JSON.parse(found.values.event_data);
  return [
    ...(more.length > 0 ? ["the CTS trigger of disk-attached is defined twice"] : []),
    ...(found.values.function_urn === urnOf("disk-attached")
      ? []
      : [`${found.address} starts ${found.values.function_urn}`]),
    ...different(`${found.address}.operations`, operations, ["ECS:ecs:attachVolume;attachVolumeV2;attachVolume2"]),
  ];
}

function asyncFaults(configurations: Planned[], { functions }: Wanted): string[] {
  return [
    ...different(
      "asynchronous invocation",
      configurations.map(({ values }) => values.function_urn),
      functions.filter(isEvent).map(urnOf),
    ),
    ...configurations.flatMap(({ address, values }) => [
      ...(values.max_async_retry_attempts >= 1 ? [] : [`${address}: a failed event is not retried`]),
      ...(values.on_failure?.[0]?.destination === "SMN"
        ? []
        : [`${address}: no notification about an event whose retries failed`]),
    ]),
  ];
}

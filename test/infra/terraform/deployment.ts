/** Holds a plan against the project: every function deployed, configured, triggered, with the rights that it needs and no others. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { finds } from "./keywords.ts";
import type { Observed } from "./observed.ts";
import type { Plan, Planned } from "./plan.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

/** Folder of functions/ -> what starts it (DESIGN 4.3). */
export const FUNCTIONS = readdirSync(join(import.meta.dirname, "..", "..", "..", "functions"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

export const README = readFileSync(join(import.meta.dirname, "..", "..", "..", "infra", "README.md"), "utf8");

/** The rows of the README's tables, without the marks of code. */
export const ROWS = README.split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );

/** The README's table of rights: which call needs which action, for which functions, says who. */
export const RIGHTS: Record<string, { actions: string[]; functions: string[]; source: string }> = Object.fromEntries(
  ROWS.filter(([call = ""]) => /^(evs|ecs|dws|functiongraph|lts)\.\w+$/.test(call)).map(
    ([call = "", , action = "", functions = "", source = ""]) => [
      call,
      { actions: action === "none" ? [] : action.split(", "), functions: functions.split(", "), source },
    ],
  ),
);

const isHttp = (name: string) => name.startsWith("create-") || name === "pre-deploy";

export interface Wanted {
  functions: string[];
  policies: Record<string, Any>;
  diskAttachedKind: string;
  /** Functions that may make room on a full disk. */
  makingRoom: string[];
}

/** Everything that is missing, too much or otherwise wrong in a deployment of all that is wanted. */
export function deploymentFaults(plan: Plan, wanted: Wanted, observed: Record<string, Observed>): string[] {
  const of = (type: string) => plan.resources.filter((one) => one.type === `huaweicloud_${type}`);
  const functions = of("fgs_function");
  return [
    ...different(
      "functions",
      functions.map(({ values }) => values.name),
      wanted.functions,
    ),
    ...functions.flatMap(functionFaults),
    ...functions.flatMap((one) => variableFaults(one, observed, wanted)),
    ...unusedVariables(functions, observed),
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
      .map(({ address }) => `${address}: nobody subscribes to it`),
    ...(plan.provider.region === plan.locals.variables.REGION && plan.provider.project_name === plan.locals.project
      ? []
      : ["the provider works in another region or project"]),
  ];
}

const different = (what: string, got: string[], expected: string[]): string[] => [
  ...expected.filter((one) => !got.includes(one)).map((one) => `${what}: ${one} is missing`),
  ...got.filter((one) => !expected.includes(one)).map((one) => `${what}: ${one} is too much`),
  ...got.filter((one, index) => got.indexOf(one) < index).map((one) => `${what}: ${one} is there twice`),
];

const urnOf = (name: string) => `<huaweicloud_fgs_function.this["${name}"].urn>`;

function functionFaults({ address, values }: Planned): string[] {
  const { name } = values;
  const right: Record<string, Any> = {
    handler: "index.handler",
    code_type: "zip",
    code_filename: `${name}.zip`,
    func_code: `<infra/terraform/../../dist/${name}.zip>`,
    memory_size: 128,
    enable_lts_log: true,
    // Two traces of one attachment must not meet in two instances.
    max_instance_num: name === "disk-attached" ? "1" : null,
  };
  // An answer over HTTP comes within 55 s.
  const short = isHttp(name) ? values.timeout < 60 : values.timeout < 300;
  const halves = ["log_group_id", "log_group_name", "log_stream_id", "log_stream_name"].filter((one) => !values[one]);
  return [
    ...Object.entries(right)
      .filter(([argument, value]) => (values[argument] ?? null) !== value)
      .map(([argument, value]) => `${address}.${argument}: expected ${value}, got ${values[argument]}`),
    ...(short ? [`${address}.timeout: ${values.timeout} s is too short`] : []),
    ...halves.map((one) => `${address}.${one}: the four log arguments go together`),
  ];
}

/** disk-attached was watched with each of its kinds, and some with a full disk to make room on. */
const observedOf = (name: string, observed: Record<string, Observed>, wanted: Wanted): Observed => {
  const plain = name === "disk-attached" ? `${name} ${wanted.diskAttachedKind}` : name;
  const seen = observed[plain];
  if (seen === undefined) throw new Error(`${name} was not watched: test/infra/terraform/observed.ts`);
  const more = wanted.makingRoom.includes(name) ? observed[`${plain} make_room`] : undefined;
  return {
    calls: new Set([...seen.calls, ...(more?.calls ?? [])]),
    // Where it is not set no room is made.
    variables: new Set([...seen.variables].filter((one) => more !== undefined || !one.endsWith("_RETENTION"))),
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
      .map(([name]) => `${address}.user_data: ${name} is no text`),
    ...(Object.keys(set).length > 20
      ? [`${address}.user_data: ${Object.keys(set).length} variables, 20 are allowed`]
      : []),
    ...(length > 4096 ? [`${address}.user_data: ${length} characters, 4096 are allowed`] : []),
  ];
}

/** A variable that no function reads is a misspelt one. */
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
          ? [`${address}: it shares the agency ${app_agency}`]
          : []),
        ...different(
          `local.functions["${name}"].calls`,
          [...plan.locals.functions[name].calls, "lts.reportLogs"],
          [...calls],
        ),
      ];
    }),
    ...[...agencies.values()].flatMap(({ name, delegated_service_name, project_role = [], ...others }) => [
      ...(delegated_service_name === "op_svc_cff" ? [] : [`the agency ${name} is not FunctionGraph's`]),
      ...project_role
        .filter(({ project }: Any) => project !== plan.locals.project)
        .map(({ project }: Any) => `the agency ${name} has rights on ${project}`),
      ...Object.keys(others)
        .filter((argument) => argument.endsWith("_roles"))
        .map((argument) => `the agency ${name} has ${argument}`),
    ]),
    ...[...roles.values()]
      .filter(({ type }) => type !== "XA")
      .map(({ name }) => `the policy ${name} is not for projects`),
    ...Object.entries<string[]>(plan.locals.actions).flatMap(([call, actions]) =>
      different(`local.actions["${call}"]`, actions, RIGHTS[call]?.actions ?? []),
    ),
  ];
}

/** What is pasted into the console's test is the event that the timer sends. */
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
      return same && !Number.isNaN(Date.parse(time)) ? [] : [`events: ${key} is not what its timer sends`];
    }),
  ];
}

function timerFaults(triggers: Planned[], { policies }: Wanted): string[] {
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
    ...Object.entries(policies).flatMap(
      ([policy, { schedule, prune_schedule, every_hours, prune_every_hours, ...rest }]) => {
        const user_event = { policy, ...rest };
        const zone = rest.time_zone ?? "UTC";
        return [
          ...(schedule
            ? [{ name: "scheduled-snapshots", policy, user_event, schedule: `CRON_TZ=${zone} ${schedule}` }]
            : []),
          ...(rest.retention
            ? [{ name: "prune-snapshots", policy, user_event, schedule: `CRON_TZ=${zone} ${prune_schedule}` }]
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
        ...(more.length > 0 ? [`${what} is there twice`] : []),
        ...(found.status === "ACTIVE" ? [] : [`${what} is ${found.status}`]),
        ...(schedule === undefined || found.schedule === schedule
          ? []
          : [`${what} has the schedule ${found.schedule}`]),
        ...(/^CRON_TZ=\S+( \S+){6}$/.test(found.schedule) ? [] : [`${what} has no cron with a zone`]),
      ];
    }),
    ...(timers.length > expected.length ? [`there are ${timers.length - expected.length} timers too many`] : []),
    ...timers
      .filter(({ user_event }) => Buffer.byteLength(user_event) >= 2_048)
      .map(({ name }) => `the timer ${name} has a user_event of 2048 bytes or more`),
  ];
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
  if (!wanted.functions.includes("disk-attached")) return triggers.map(({ address }) => `${address} is too much`);
  if (found === undefined) return ["the CTS trigger of disk-attached is missing"];
  const { operations } = JSON.parse(found.values.event_data);
  return [
    ...(more.length > 0 ? ["the CTS trigger of disk-attached is there twice"] : []),
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
      functions.filter((name) => !isHttp(name)).map(urnOf),
    ),
    ...configurations.flatMap(({ address, values }) => [
      ...(values.max_async_retry_attempts >= 1 ? [] : [`${address}: an event that failed does not come again`]),
      ...(values.on_failure?.[0]?.destination === "SMN"
        ? []
        : [`${address}: nobody hears of an event that was given up`]),
    ]),
  ];
}

function gatewayFaults(plan: Plan, { functions }: Wanted): string[] {
  const of = (type: string) => plan.resources.filter((one) => one.type === `huaweicloud_apig_${type}`);
  const apis = of("api");
  const published = of("api_publishment");
  const http = functions.filter(isHttp);
  const authorized = of("application_authorization").flatMap(({ values }) => values.api_ids);
  const restricted = of("acl_policy_associate").flatMap(({ values }) => values.publish_ids);
  const shutOut = of("acl_policy").every(
    ({ values: { type, entity_type } }) => type === "PERMIT" && entity_type === "DOMAIN_ID",
  );
  return [
    ...different(
      "APIs",
      apis.map(({ values }) => values.func_graph?.[0]?.function_urn),
      http.map(urnOf),
    ),
    ...(shutOut ? [] : ["the policy of the APIs does not shut out other accounts"]),
    ...apis.flatMap(({ address, key, values }) => {
      const { security_authentication, func_graph = [{}], request_method, request_protocol, request_path } = values;
      const publishment = published.find(({ values: { api_id } }) => api_id === `<${address}.id>`);
      const callers =
        security_authentication === "APP"
          ? authorized.includes(`<${address}.id>`)
          : security_authentication === "IAM" &&
            publishment !== undefined &&
            restricted.includes(`<${publishment.address}.publish_id>`);
      return [
        ...(["APP", "IAM"].includes(security_authentication) ? [] : [`${address}: anybody can call it`]),
        ...(callers ? [] : [`${address}: who may call it is not said`]),
        // The gate's client sends the code itself (infra/ci/call.ts).
        ...((values.simple_authentication === true) === (security_authentication === "APP")
          ? []
          : [`${address}: an application's code is not taken`]),
        ...(values.request_params?.some(
          ({ name, location, required, passthrough }: Any) =>
            name === "Idempotency-Key" && location === "HEADER" && required === false && passthrough === true,
        )
          ? []
          : [`${address}: it may lose the Idempotency-Key, or want one`]),
        ...(publishment === undefined ? [`${address} is not published`] : []),
        ...(func_graph[0].timeout === 60_000
          ? []
          : [`${address}: the gateway waits ${func_graph[0].timeout} ms, not 60000`]),
        ...(func_graph[0].invocation_type === "sync" ? [] : [`${address} does not wait for the answer`]),
        ...(request_method === "POST" && request_protocol === "HTTPS" && request_path === `/${key}`
          ? []
          : [`${address}: expected POST https://.../${key}`]),
      ];
    }),
  ];
}

const lines = new WeakMap<object, string>();

/** A record as the topic has it. */
function lineOf(record: object): string {
  const line = lines.get(record) ?? JSON.stringify(record);
  lines.set(record, line);
  return line;
}

/** An alarm is judged by the records that it finds. */
function alarmFaults(rules: Planned[], { policies }: Wanted, observed: Record<string, Observed>): string[] {
  const records = Object.values(observed).flatMap((one) => one.records);
  const heard = rules.map(({ address, values }) => {
    const [request] = values.keywords_requests;
    return {
      address,
      values,
      request,
      found: records.filter((record) => finds(request.keywords, lineOf(record))),
    };
  });
  const silence = (what: string, isMeant: (record: Any) => boolean, hours: number): string[] => {
    const meant = records.filter(isMeant);
    if (meant.length === 0) throw new Error(`no record of ${what} was watched`);
    const rule = heard.find(
      ({ request, found }) =>
        request.condition === "<" &&
        request.number === 1 &&
        found.length === meant.length &&
        found.every((one) => meant.includes(one)),
    );
    if (rule === undefined) return [`no alarm on the silence of ${what}`];
    const { search_time_range: range, search_time_range_unit: unit } = rule.request;
    const days = Math.ceil(hours / 24) + 1;
    const { type } = rule.values.frequency[0];
    const [count, frequency] = [rule.values.trigger_condition_count, rule.values.trigger_condition_frequency];
    const right =
      unit === "hour" &&
      (hours <= 24
        ? range === hours && type === "HOURLY" && count === 2 && frequency === 2
        : range === 24 && type === "DAILY" && count === days && frequency === days);
    return right ? [] : [`the alarm on the silence of ${what} does not fit ${hours} hours`];
  };
  const failed = heard.find(({ request }) => request.condition === ">=" && request.number === 1);
  const bad = records.filter(
    ({ outcome, action, level, function: name }) =>
      ["failed", "rejected", "unverified"].includes(outcome) ||
      (action === "run" && level === "warn" && name === "scheduled-snapshots"),
  );
  // A run whose policy selects nothing is done, with a warning. Other warnings may stay: they would drown what failed.
  const outcomes = new Set(bad.map(({ outcome }) => outcome));
  if (outcomes.size < 4) throw new Error(`only ${[...outcomes]} were watched`);
  return [
    ...(failed === undefined
      ? ["no alarm on failed records"]
      : different("the alarm on failed records", ids(failed.found), ids(bad))),
    ...silence("verify-snapshots", (one) => one.function === "verify-snapshots" && one.action === "run", 1),
    ...Object.entries(policies).flatMap(([name, { schedule, retention, every_hours = 24, prune_every_hours }]) => {
      const ofPruning = prune_every_hours ?? (every_hours === 0 ? 0 : Math.max(every_hours, 24));
      // Its runs, also those that selected nothing: what is taken or not does not tell whether the timer still fires.
      const runsOf = (what: string) => (one: Any) =>
        one.function === what && one.action === "run" && one.policy === name;
      return [
        ...(schedule && every_hours > 0
          ? silence(`the policy ${name}`, runsOf("scheduled-snapshots"), every_hours)
          : []),
        ...(retention && ofPruning > 0 ? silence(`the pruning of ${name}`, runsOf("prune-snapshots"), ofPruning) : []),
      ];
    }),
    ...heard.flatMap(({ address, values, request }) => [
      ...(values.send_notifications === true && values.notification_save_rule?.[0]?.topics?.[0]?.topic_urn
        ? []
        : [`${address} notifies nobody`]),
      ...(values.status === undefined || values.status === "RUNNING" ? [] : [`${address} is ${values.status}`]),
      ...(request.log_stream_id === "<huaweicloud_lts_stream.results.id>"
        ? []
        : [`${address} does not look at the results`]),
    ]),
  ];
}

const ids = (records: Any[]): string[] => [...new Set(records.map(lineOf))];

/**
 * Builds CTS traces of a disk attachment in every documented or plausible form. Nobody has published a captured trace of an
 * attachment, so the form that CTS sends is UNCONFIRMED. *CTS User Guide, "Trace Structure" (cts_03_0010)* shows the time `Dec
 * 8, 2016 11:24:04 GMT+08:00` and documents bodies that are JSON strings.
 */
export interface AttachmentTraces {
  serverId: string;
  serverName?: string;
  volumeId: string;
  device?: string;
  /** When the attach request arrived, in epoch milliseconds. */
  requestedAt: number;
  /** When the attachment job finished, in epoch milliseconds. Default: 30 seconds after the request. */
  completedAt?: number;
}

/** The formats of the times in a trace. The first format is the usual one. */
const TIME_FORMATS = {
  milliseconds: (ms: number) => ms,
  seconds: (ms: number) => Math.floor(ms / 1000),
  digits: (ms: number) => String(ms),
  iso: (ms: number) => new Date(ms).toISOString(),
  /** `2026-11-28T01:35:51+08:00` */
  offset: (ms: number) => `${formatUtc8(ms).slice(0, 19)}+08:00`,
  /** `2026/11/28 01:35:51 GMT+08:00` */
  yearFirst: (ms: number) => `${formatUtc8(ms).slice(0, 19).replace("T", " ").replaceAll("-", "/")} GMT+08:00`,
  /** `Nov 28, 2026 01:35:51 GMT+08:00` */
  monthName: (ms: number) => {
    const [, , day, month, year] = /(\w+), (\d+) (\w+) (\d+)/.exec(new Date(ms + UTC8_OFFSET_MS).toUTCString()) ?? [];
    return `${month} ${Number(day)}, ${year} ${formatUtc8(ms).slice(11, 19)} GMT+08:00`;
  },
  /** `11/28/2026 01:35:51` */
  monthFirst: (ms: number) => formatUtc8(ms).replace(/^(\d+)-(\d+)-(\d+)T(.{8}).*$/, "$2/$3/$1 $4"),
  /** `2026-11-27 17:35:51`, in UTC without a time zone. */
  noZone: (ms: number) => new Date(ms).toISOString().slice(0, 19).replace("T", " "),
  unreadable: () => "yesterday",
  null: () => null,
  absent: () => undefined,
} as const;

const UTC8_OFFSET_MS = 8 * 60 * 60 * 1000;
/** Formats a time as an ISO 8601 string, shifted to the time zone UTC+8. */
const formatUtc8 = (ms: number) => new Date(ms + UTC8_OFFSET_MS).toISOString();

type TimeFormat = keyof typeof TIME_FORMATS;

export interface TraceVariant {
  /** The format of `time` and `record_time`. Default `milliseconds`. */
  time?: TimeFormat;
  /** Whether `request`, `response` and `user` are objects or JSON strings. Default `objects`. */
  bodies?: "objects" | "texts";
  /**
   * The ids in the trace. `all`: the ids of the server, the disk, the job and the trace. `noDisk`: only the server id.
   * `noServer`: only the disk id. `none`: no id. Default `all`. A completion trace never contains the disk id, even if the value
   * is `all` or `noServer`.
   */
  ids?: "all" | "noDisk" | "noServer" | "none";
  /** The status of the attachment job in the completion trace. Default `SUCCESS`. */
  job?: "SUCCESS" | "FAIL" | "RUNNING";
  /**
   * The envelope of the event. `cts` is the format of a CTS trigger. All other values are formats of CloudEvents from EventGrid.
   * Default `cts`.
   */
  envelope?: "cts" | "data" | "dataText" | "dataBase64" | "dataCts" | "batch";
  traceName?: "attachVolume" | "attachVolumeV2" | "attachVolume2";
}

/** The trace variants by name. Each variant differs from the usual trace in one field. */
export const TRACE_VARIANTS: Record<string, TraceVariant> = {
  usual: {},
  ...nameVariants("time", (Object.keys(TIME_FORMATS) as TimeFormat[]).slice(1)),
  ...nameVariants("bodies", ["texts"] as const),
  ...nameVariants("ids", ["noDisk", "noServer", "none"] as const),
  ...nameVariants("job", ["FAIL", "RUNNING"] as const),
  ...nameVariants("envelope", ["data", "dataText", "dataBase64", "dataCts", "batch"] as const),
  ...nameVariants("traceName", ["attachVolumeV2", "attachVolume2"] as const),
};

function nameVariants<K extends keyof TraceVariant>(field: K, values: readonly NonNullable<TraceVariant[K]>[]) {
  return Object.fromEntries(values.map((value) => [`${field} ${value}`, { [field]: value } as TraceVariant]));
}

/**
 * Returns an event with one of the two CTS traces of a disk attachment. CTS writes the `request` trace when the attach request
 * arrives, and the `completion` trace when the attachment job finishes. The completion trace contains the id of the server, but
 * not the id of the disk.
 *
 * @example
 * attachmentEvent("completion", { serverId, volumeId, requestedAt }, { job: "FAIL", time: "monthName" });
 */
export function attachmentEvent(
  phase: "request" | "completion",
  attachment: AttachmentTraces,
  variant: TraceVariant = {},
): unknown {
  const { requestedAt, completedAt = requestedAt + 30_000 } = attachment;
  const at = phase === "request" ? requestedAt : completedAt;
  // Convert to JSON and back to remove every undefined field, because a real event does not contain such a field.
  const trace = JSON.parse(JSON.stringify(buildTrace(phase, attachment, at, variant)));
  const { envelope = "cts" } = variant;
  if (envelope === "cts") return { cts: trace };
  const event = {
    specversion: "1.0",
    id: TRACE_ID,
    source: "HC.ECS",
    type: `ECS:CloudTrace:${trace.trace_type}`,
    subject: attachment.serverName ?? "web-1",
    time: new Date(at).toISOString(),
    datacontenttype: "application/json",
  };
  const text = JSON.stringify(trace);
  if (envelope === "dataBase64") return { ...event, data_base64: Buffer.from(text).toString("base64") };
  if (envelope === "dataText") return { ...event, data: text };
  if (envelope === "dataCts") return { ...event, data: { cts: trace } };
  return envelope === "batch" ? [{ ...event, data: trace }] : { ...event, data: trace };
}

const TRACE_ID = "70a599e0-31e7-49b7-b260-868f441e862b";

function buildTrace(phase: "request" | "completion", attachment: AttachmentTraces, at: number, variant: TraceVariant) {
  const { serverId, serverName = "web-1", volumeId, device = "/dev/vdb" } = attachment;
  const { time = "milliseconds", bodies = "objects", ids = "all", job = "SUCCESS" } = variant;
  const timeInTrace = TIME_FORMATS[time](at);
  const all = ids === "all";
  const server = all || ids === "noDisk" ? serverId : undefined;
  const disk = all || ids === "noServer" ? volumeId : undefined;
  const jobId = all ? { job_id: TRACE_ID } : {};
  const body = (value: unknown) => (bodies === "texts" ? JSON.stringify(value) : value);
  const common = {
    time: timeInTrace,
    record_time: timeInTrace,
    service_type: "ECS",
    resource_type: "ecs",
    resource_name: serverName,
    ...(server === undefined ? {} : { resource_id: server }),
    ...(all ? { trace_id: TRACE_ID } : {}),
    trace_name: variant.traceName ?? "attachVolume",
    trace_rating: "normal",
    trace_status: "normal",
    code: bodies === "texts" ? "200" : 200,
  };
  if (phase === "request") {
    return {
      ...common,
      trace_type: "ApiCall",
      user: body({ name: "ops", domain: { name: "example" } }),
      request: body({ volumeAttachment: { ...(disk === undefined ? {} : { volumeId: disk }), device } }),
      response: body(jobId),
    };
  }
  // Even the trace of a failed job has the rating `normal`.
  const failure = job === "FAIL" ? { error_code: "Ecs.0219", fail_reason: "Failed to attach the disk." } : {};
  const entities = server === undefined ? {} : { server_id: server };
  return {
    ...common,
    trace_type: "SystemAction",
    user: null,
    request: bodies === "texts" ? "" : {},
    response: body({ status: job, ...jobId, job_type: "attachVolume", entities, ...failure }),
  };
}

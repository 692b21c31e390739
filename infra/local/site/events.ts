/** Builds trigger events in the platform's format. `test/events/README.md` lists the source of each format. */

/** Returns the event that a FunctionGraph timer sends. Its `user_event` is a policy, or the options of verify-snapshots. */
export const timerEvent = (userEvent: { policy?: string; [field: string]: unknown }, now = new Date()) => ({
  version: "v1.0",
  time: `${now.toISOString().slice(0, 19)}Z`,
  trigger_type: "TIMER",
  trigger_name: userEvent.policy ?? "Timer_001",
  user_event: JSON.stringify(userEvent),
});

/** The attachment of a disk to a server, as the two CTS traces describe it. */
interface Attachment {
  serverId: string;
  serverName: string;
  volumeId: string;
  /** When the attach request arrived, in epoch milliseconds. */
  time: number;
}

const commonFields = ({ serverId, serverName, time }: Attachment) => ({
  time,
  record_time: time,
  service_type: "ECS",
  resource_type: "ecs",
  resource_id: serverId,
  resource_name: serverName,
  trace_name: "attachVolume",
  trace_rating: "normal",
  trace_status: "normal",
});

/** Returns the CTS trace of an attach request. CTS writes this trace when the request arrives. */
export const requestTrace = (attachment: Attachment) => ({
  cts: {
    ...commonFields(attachment),
    trace_type: "ApiCall",
    code: 200,
    user: { name: "ops", domain: { name: "example" } },
    request: { volumeAttachment: { volumeId: attachment.volumeId, device: "/dev/vdc" } },
    response: { job_id: "8a8e9f6a4f2b4e0f014f2b9e1c3d0007" },
  },
});

/** Returns the CTS trace of a completed attachment. This trace contains neither the user nor the disk. */
export const completionTrace = (attachment: Attachment) => ({
  cts: {
    ...commonFields({ ...attachment, time: Date.now() }),
    trace_type: "SystemAction",
    code: "200",
    user: null,
    request: "",
    response: JSON.stringify({ status: "SUCCESS", entities: { server_id: attachment.serverId } }),
  },
});

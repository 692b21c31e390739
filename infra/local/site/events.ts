/** Builds events in the shape in which the platform sends them. `test/events/README.md` lists the source of each shape. */

export const timerEvent = (policy: { policy: string }, now = new Date()) => ({
  version: "v1.0",
  time: `${now.toISOString().slice(0, 19)}Z`,
  trigger_type: "TIMER",
  trigger_name: policy.policy,
  user_event: JSON.stringify(policy),
});

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

/** Returns the first of the two traces of an attachment. CTS writes it when the attach request arrives. */
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

/** Returns the second trace of an attachment, which CTS writes at the end. It contains neither a user nor the disk. */
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

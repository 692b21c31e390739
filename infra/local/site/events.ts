/** The platform's events, as it sends them (test/events/README.md says where each shape was found). */

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
  /** When the call came in. */
  time: number;
}

const common = ({ serverId, serverName, time }: Attachment) => ({
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

/** Of an attachment there are two traces: when it was asked for, and when it was done. */
export const requestTrace = (attachment: Attachment) => ({
  cts: {
    ...common(attachment),
    trace_type: "ApiCall",
    code: 200,
    user: { name: "ops", domain: { name: "example" } },
    request: { volumeAttachment: { volumeId: attachment.volumeId, device: "/dev/vdc" } },
    response: { job_id: "8a8e9f6a4f2b4e0f014f2b9e1c3d0007" },
  },
});

/** The second one is the system's own: nobody's user, and no word of the disk. */
export const completionTrace = (attachment: Attachment) => ({
  cts: {
    ...common({ ...attachment, time: Date.now() }),
    trace_type: "SystemAction",
    code: "200",
    user: null,
    request: "",
    response: JSON.stringify({ status: "SUCCESS", entities: { server_id: attachment.serverId } }),
  },
});

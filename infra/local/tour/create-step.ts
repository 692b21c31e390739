import { message, parse, post } from "../site/gateway-calls.ts";
import type { TourStep } from "./step.ts";

/** Sends a create request through the gateway twice. The second request must return the snapshot of the first request. */
export function createStep(functionName: string, subject: string, body: object): TourStep {
  return {
    title: `POST /${functionName}`,
    subject,
    async run({ gateway }) {
      const send = async () => {
        const reply = await post(`${gateway.url}/${functionName}`, body, { "idempotency-key": `tour-${subject}` });
        const outcome = reply.headers.get("x-snapshot-outcome") ?? undefined;
        return { ...reply, outcome, id: snapshotId(reply.text) };
      };
      const first = await send();
      if (first.outcome !== "accepted" || !first.id) {
        const summary = `${first.status} ${message(first.text)}`;
        const problem = `responded with ${first.status} ${first.outcome ?? ""}: ${message(first.text)}`;
        return { summary, snapshotIds: [], problems: [problem] };
      }
      const again = await send();
      const isSame = again.outcome === "existing" && again.id === first.id;
      return {
        summary: `${first.status} ${first.outcome}  ${first.id}  sent again: ${again.outcome ?? again.status}`,
        snapshotIds: [first.id],
        problems: isSame
          ? []
          : [`sent again, it responded with ${again.status} ${again.outcome ?? ""} ${again.id ?? again.text}`],
      };
    },
  };
}

/** Returns the id of the snapshot. Each API uses a different field (SOURCES.md#evs-v2-create, SOURCES.md#evs-v5-create). */
function snapshotId(text: string): string | undefined {
  const response = (parse(text) ?? {}) as {
    snapshot?: { id?: string };
    snapshot_id?: string;
    snapshot_group_id?: string;
  };
  return response.snapshot?.id ?? response.snapshot_id ?? response.snapshot_group_id;
}

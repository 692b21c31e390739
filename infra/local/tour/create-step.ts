import { isObject } from "../../../shared/core/json.ts";
import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { message, parse, post } from "../site/gateway-calls.ts";
import type { TourStep } from "./step.ts";

/**
 * Sends a create request through the gateway twice. The second request must return the snapshot of the first request.
 *
 * @param options the create options in addition to the default values of the kind
 */
export function createStep(kind: Kind, subject: string, options: object): TourStep {
  const functionName = `create-${kind.name}`;
  const body = { [kind.envelope]: { ...kind.target.defaults, ...options } };
  const snapshotId = (text: string) => {
    const response = parse(text);
    return isObject(response) ? kind.readCreatedId(response) : undefined;
  };
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

import { isObject } from "../../../shared/core/json.ts";
import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { errorMessageIn, parseJson, postJson } from "../site/gateway-calls.ts";
import type { TourStep } from "./step.ts";

/**
 * Returns the step that sends the same create request through the gateway twice. The second response must contain the snapshot
 * that the first request created.
 *
 * @param options the fields of the request body that differ from the default values of this kind of snapshot
 */
export function createRepeatedRequestStep(kind: Kind, subject: string, options: object): TourStep {
  const functionName = `create-${kind.name}`;
  const body = { [kind.envelope]: { ...kind.target.defaults, ...options } };
  const snapshotId = (text: string) => {
    const response = parseJson(text);
    return isObject(response) ? kind.readCreatedId(response) : undefined;
  };
  return {
    title: `POST /${functionName}`,
    subject,
    async run({ gateway }) {
      const send = async () => {
        const reply = await postJson(`${gateway.url}/${functionName}`, body, { "idempotency-key": `tour-${subject}` });
        const outcome = reply.headers.get("x-snapshot-outcome") ?? undefined;
        return { ...reply, outcome, id: snapshotId(reply.text) };
      };
      const first = await send();
      if (first.outcome !== "accepted" || !first.id) {
        const summary = `${first.status} ${errorMessageIn(first.text)}`;
        const problem = `expected the outcome accepted, got ${[first.status, first.outcome].filter(Boolean).join(" ")}: ${errorMessageIn(first.text)}`;
        return { summary, snapshotIds: [], problems: [problem] };
      }
      const again = await send();
      const isSame = again.outcome === "existing" && again.id === first.id;
      return {
        summary: `${first.status} ${first.outcome}  ${first.id}  sent again: ${again.outcome ?? again.status}`,
        snapshotIds: [first.id],
        problems: isSame
          ? []
          : [
              `sent again: expected existing ${first.id}, got ${again.status} ${again.outcome ?? ""} ${again.id ?? again.text}`,
            ],
      };
    },
  };
}

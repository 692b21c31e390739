import { message, parse, post } from "../site/gateway-calls.ts";
import type { TourStep } from "./steps.ts";

/** A create call through the gateway, then the same again: the second one must find what the first one made. */
export function createStep(functionName: string, about: string, body: object): TourStep {
  return {
    title: `POST /${functionName}`,
    about,
    async run({ gateway }) {
      const send = async () => {
        const reply = await post(`${gateway.url}/${functionName}`, body, { "idempotency-key": `tour-${about}` });
        const outcome = reply.headers.get("x-snapshot-outcome") ?? undefined;
        return { ...reply, outcome, id: snapshotId(reply.text) };
      };
      const first = await send();
      if (first.outcome !== "accepted" || !first.id) {
        const said = `${first.status} ${message(first.text)}`;
        const problem = `answered ${first.status} ${first.outcome ?? ""}: ${message(first.text)}`;
        return { said, snapshotIds: [], problems: [problem] };
      }
      const again = await send();
      const same = again.outcome === "existing" && again.id === first.id;
      return {
        said: `${first.status} ${first.outcome}  ${first.id}  sent again: ${again.outcome ?? again.status}`,
        snapshotIds: [first.id],
        problems: same
          ? []
          : [`sent again, it answered ${again.status} ${again.outcome ?? ""} ${again.id ?? again.text}`],
      };
    },
  };
}

/** Each API names it in its own way (seeds 000, 001, 003, 004). */
function snapshotId(text: string): string | undefined {
  const answer = (parse(text) ?? {}) as {
    snapshot?: { id?: string };
    snapshot_id?: string;
    snapshot_group_id?: string;
  };
  return answer.snapshot?.id ?? answer.snapshot_id ?? answer.snapshot_group_id;
}

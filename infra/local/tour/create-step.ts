import { isObject } from "../../../shared/core/json.ts";
import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { errorMessageIn, parseJson, postJson } from "../site/gateway-calls.ts";
import { watchForNewSnapshots } from "./deliveries.ts";
import { check, type TourStep } from "./step.ts";

/**
 * Returns the step that sends the same create request through the gateway twice. The second response must contain the snapshot
 * that the first request created, and the embedded cloud must contain one new snapshot.
 *
 * @param type the type of the resource, such as `disk`
 * @param subject the name of the resource
 * @param options the fields of the request body that differ from the default values of this kind of snapshot
 */
export function createRepeatedRequestStep(kind: Kind, type: string, subject: string, options: object): TourStep {
  const functionName = `create-${kind.name}`;
  const body = { [kind.envelope]: { ...kind.target.defaults, ...options } };
  const snapshotId = (text: string) => {
    const response = parseJson(text);
    return isObject(response) ? kind.readCreatedId(response) : undefined;
  };
  return {
    title: `POST /${functionName} for ${subject}, sent twice`,
    async run(localSite) {
      const findNew = watchForNewSnapshots(localSite);
      const send = async () => {
        const headers = { "idempotency-key": `tour-${subject}` };
        const reply = await postJson(`${localSite.gateway.url}/${functionName}`, body, headers);
        return {
          outcome: reply.headers.get("x-snapshot-outcome") ?? "none",
          id: snapshotId(reply.text),
          text: `${reply.status} ${reply.headers.get("x-snapshot-outcome") ?? errorMessageIn(reply.text)}`,
        };
      };
      const first = await send();
      check(first.outcome === "accepted" && first.id !== undefined, "the outcome accepted", first.text, findNew());
      const again = await send();
      const isSame = again.outcome === "existing" && again.id === first.id;
      const expected = `existing ${first.id} from the second request`;
      check(isSame, expected, `${again.text} ${again.id ?? ""}`.trim(), findNew());
      const created = findNew();
      check(String(created) === first.id, "1 new snapshot in the cloud", `${created.length}`, created);
      return {
        sentence: `${functionName}: a request for ${type} ${subject}, sent twice, created 1 snapshot.`,
        snapshotIds: created,
        repeats: 1,
      };
    },
  };
}

import type { Site } from "./site.ts";

/** What a step had to say for itself, and which snapshots it is answerable for. */
export interface StepResult {
  /** The rest of its line: the answer, the outcome, the id. */
  said: string;
  snapshotIds: string[];
  /** What was not as it should be; empty: all was well. */
  problems: string[];
}

/** One stop of the tour. A further trigger is one more entry in `tourSteps`. */
export interface TourStep {
  /** What is called, e.g. `POST /create-snapshot`. */
  title: string;
  /** What it is about, by name. */
  about: string;
  run(site: Site): Promise<StepResult>;
}

export function tourSteps({ estate }: Site): TourStep[] {
  return [
    createStep("create-snapshot", "web-1-data", {
      snapshot: {
        volume_id: estate.webData,
        name: "web-1-data-before-update",
        description: "before the update of web-1",
        force: true,
      },
    }),
    createStep("create-standard-snapshot", "archive", {
      snapshot: { volume_id: estate.archive, name: "archive-quarterly", description: "end of the quarter" },
    }),
    createStep("create-snapshot-group", "database-1", {
      snapshot_group: { server_id: estate.database, name: "database-1-all-disks" },
    }),
    createStep("create-cluster-snapshot", "warehouse", {
      snapshot: { name: "warehouse-month-end", cluster_id: estate.warehouse, description: "end of the month" },
    }),
  ];
}

/** A create call through the gateway, then the same again: the second one must find what the first one made. */
function createStep(functionName: string, about: string, body: object): TourStep {
  return {
    title: `POST /${functionName}`,
    about,
    async run({ gateway }) {
      const send = () => post(`${gateway.url}/${functionName}`, body, `tour-${about}`);
      const first = await send();
      if (first.outcome !== "accepted" || !first.id) return refused(first);
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

interface Reply {
  status: number;
  outcome: string | undefined;
  id: string | undefined;
  text: string;
}

async function post(url: string, body: object, idempotencyKey: string): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const outcome = response.headers.get("x-snapshot-outcome") ?? undefined;
  return { status: response.status, outcome, id: snapshotId(text), text };
}

/** Each API names it in its own way (seeds 000, 001, 003, 004). */
function snapshotId(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as { snapshot?: { id?: string }; snapshot_id?: string; snapshot_group_id?: string };
    return answer.snapshot?.id ?? answer.snapshot_id ?? answer.snapshot_group_id;
  } catch {
    return undefined;
  }
}

function refused({ status, outcome, text }: Reply): StepResult {
  const why = `answered ${status} ${outcome ?? ""}: ${message(text)}`;
  return { said: `${status} ${message(text)}`, snapshotIds: [], problems: [why] };
}

/** The message of our own errors and of the gateway's; else the text itself. */
function message(text: string): string {
  try {
    const answer = JSON.parse(text) as { error?: { code?: string; message?: string }; error_msg?: string };
    if (answer.error) return `${answer.error.code ?? ""} ${answer.error.message ?? ""}`.trim();
    return answer.error_msg ?? text;
  } catch {
    return text;
  }
}

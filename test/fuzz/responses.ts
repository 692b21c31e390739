/** Adds faults to the embedded cloud. The faults send random responses to the calls of the functions. */
import { ODD_ANSWERS } from "../../infra/local/cloud/gateway/odd-answers.ts";
import type { EmbeddedCloud, Fault, FaultHandle } from "../../infra/local/cloud/index.ts";
import { CALLS } from "../support/rights.ts";
import { bigFault, endlessFault } from "./big-responses.ts";
import { mutate } from "./mutate.ts";
import { oddResponse, rawResponse } from "./odd-http.ts";
import type { Random } from "./random.ts";
import { editing, type FuzzedResponse, type Material, sending } from "./response.ts";
import { secretFault } from "./secret-responses.ts";

export interface ArmedResponse extends FuzzedResponse {
  operation: string;
  nth: number;
  handle: FaultHandle;
}

/** The maximum number of random responses to one call in a case. */
const MAX_ARMED = 48;
const isList = (operation: string): boolean => /\.list/.test(operation);
const isChange = (operation: string): boolean => /\.(create|delete|invoke|report)/.test(operation);

/** Returns a random response for one request. */
function randomResponse(material: Material): FuzzedResponse {
  const { random, ids, operation } = material;
  const after = random.chance(0.5);
  const kind = random.weighted({
    edit: 38,
    odd: 9,
    response: 20,
    secret: 16,
    connection: 10,
    raw: 6,
    acknowledge: isChange(operation) ? 2 : 0,
  });
  switch (kind) {
    case "edit":
      return editing("the embedded cloud's own response with changes", (body) => mutate(body, { random, ids }));
    case "odd": {
      const name = random.pick(Object.keys(ODD_ANSWERS)) as keyof typeof ODD_ANSWERS;
      return sending(`the odd response ${name}`, ODD_ANSWERS[name], after);
    }
    case "response":
      return sending("a made-up response", oddResponse(random, ids), after);
    case "secret":
      return secretFault(material, after);
    case "connection":
      return connectionFault(random, after);
    case "raw": {
      const bytes = rawResponse(random, ids);
      const how = `the bytes ${JSON.stringify(bytes.toString("latin1", 0, 300))}, ${after ? "after" : "before"} processing`;
      return { how, fault: { type: "raw", bytes, after }, body: bytes.toString("utf8") };
    }
    case "acknowledge":
      return { how: "a success response to a request that was not processed", fault: { type: "acknowledge" } };
  }
}

function connectionFault(random: Random, after: boolean): FuzzedResponse {
  const fault = random.pick<Fault>([
    { type: "upgrade", after },
    { type: "upgrade", headers: {}, after },
    { type: "informational", count: random.pick([1, 2, 50, 500]) },
    { type: "stall", after },
    { type: "drip", ms: 0 },
    { type: "reset", after },
    { type: "cut", after },
    { type: "hang", after },
    { type: "notJson", html: random.chance(0.5), after },
    { type: "emptyBody", after },
    { type: "redirect", location: "http://127.0.0.1:1/", status: random.pick([301, 302, 307, 308] as const) },
    { type: "expiredToken" },
    { type: "throttle", limit: random.pick([1, 10, 50]), window: random.pick(["1 second", "1 minute"] as const) },
    { type: "clockSkew", ms: random.pick([-3_600_000, 3_600_000]) },
  ]);
  return { how: `the fault ${JSON.stringify(fault)}`, fault };
}

/** The share of a call's requests that get a random response. */
type Share = "first" | "one" | "some" | "most" | "all";

/**
 * Adds faults that send random responses to one call. In about one case in 200, the responses are very large. In about one case
 * in 1,000, a list call gets an endless list.
 *
 * @returns the responses in the order of the requests; `handle.hits` is the number of times that a response was sent
 */
export function armResponses(cloud: EmbeddedCloud, material: Material): ArmedResponse[] {
  const { random, operation } = material;
  const arm = (nth: number, response: FuzzedResponse, times?: number): ArmedResponse =>
    Object.assign(response, {
      operation,
      nth,
      handle: cloud.fault({ operation, nth, ...(times ? { times } : {}) }, response.fault),
    });
  if (isList(operation) && random.chance(1 / 1_000)) return [arm(1, endlessFault(material), 1_000)];
  if (random.chance(1 / 200)) {
    return Array.from({ length: random.int(1, 8) }, (_, index) => arm(index + 1, bigFault(material)));
  }
  const share = random.weighted<Share>({ first: 20, one: 15, some: 25, most: 15, all: 25 });
  const only = random.int(1, 5);
  const isFuzzed = (nth: number) =>
    share === "all" ||
    (share === "first" && nth === 1) ||
    (share === "one" && nth === only) ||
    random.chance(share === "some" ? 0.3 : share === "most" ? 0.8 : 0);
  // Some cases send the same response to every request, as a broken proxy does.
  if (share === "all" && random.chance(0.3)) return [arm(1, randomResponse(material), MAX_ARMED)];
  const armed: ArmedResponse[] = [];
  for (let nth = 1; nth <= MAX_ARMED; nth += 1) if (isFuzzed(nth)) armed.push(arm(nth, randomResponse(material)));
  return armed;
}

/**
 * Adds faults to every call except the fuzzed call. Each of a call's first four requests gets a random response in 25% of cases.
 */
export function armOthers(cloud: EmbeddedCloud, material: Material): ArmedResponse[] {
  const { random } = material;
  const others = [...CALLS.keys()].filter((name) => name !== material.operation);
  return others.flatMap((operation) =>
    [1, 2, 3, 4].flatMap((nth) => {
      if (!random.chance(0.25)) return [];
      const response = randomResponse({ ...material, operation });
      return [Object.assign(response, { operation, nth, handle: cloud.fault({ operation, nth }, response.fault) })];
    }),
  );
}

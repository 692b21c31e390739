/** Runs one case of the fuzz: invokes a function while one of its calls to the embedded cloud gets random responses. */
import { startCloud } from "../../infra/local/cloud/index.ts";
import { CALLS } from "../support/rights.ts";
import { TOPIC, userDataFor } from "../support/user-data.ts";
import { check } from "./checks.ts";
import type { Finding } from "./evidence.ts";
import type { Invoked } from "./instance.ts";
import type { Instances } from "./instances.ts";
import { createRandomChoices, type Random } from "./random.ts";
import { type ArmedResponse, armOthers, armResponses } from "./responses.ts";
import { buildScenario, type Scenario } from "./scenarios.ts";
import { secretFinder } from "./secrets.ts";

/** Identifies a case of the fuzz. Two runs of one case send the same random responses. */
export interface CaseId {
  seed: string;
  operation: string;
  index: number;
}

export interface CaseResult {
  id: CaseId;
  scenario: Scenario;
  invoked: Invoked;
  /** The random responses that were sent. */
  responses: ArmedResponse[];
  findings: Finding[];
  /** The requests to the embedded cloud, each as a line of text. */
  requests: string[];
  /** A description of the memory limit of the process. */
  limit: string;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL = `${BASE64.slice(0, 62)}-_`;
/** The printable ASCII characters except the space. All of them are allowed in a header. */
const PRINTABLE = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join("");

export async function runCase(id: CaseId, instances: Instances): Promise<CaseResult> {
  const { seed, operation, index } = id;
  const random = createRandomChoices(`${seed} ${operation} ${index}`);
  const functionName = random.pick(CALLS.get(operation) ?? instances.names);
  const { instance, clock } = instances.get(functionName);
  const credentials = randomCredentials(random);
  const cloud = await startCloud({
    topics: [TOPIC],
    credentials,
    clock,
    creationMs: random.pick([1, 3_000, 40_000]),
  });
  try {
    const scenario = buildScenario(functionName, { cloud, random, operation });
    const byToken = random.chance(0.2);
    const secrets: Record<string, string> = byToken
      ? { token: credentials.token }
      : { "access key": credentials.ak, "secret key": credentials.sk, "security token": credentials.securityToken };
    const call = (requestId: string, remainingMs: number) =>
      instance.invoke({
        event: scenario.event,
        remainingMs,
        seed: random.int(0, 2 ** 31),
        context: {
          requestId,
          timeoutSeconds: Math.ceil(remainingMs / 1000),
          credentials: byToken ? { token: credentials.token } : { ...credentials, token: "" },
          userData: { ...userDataFor(cloud), ...scenario.variables },
          projectId: cloud.projectId,
        },
      });
    // In about one case in eight, the function processes the event once before the faults are added.
    if (random.chance(0.12)) await call(`before-${operation}-${index}`, 900_000);
    const before = cloud.snapshots();
    for (const list of [cloud.logs, cloud.lostLogs, cloud.requests]) list.length = 0;
    const ids = [...scenario.targets.map(({ resource }) => resource), ...before.map((one) => one.id)].slice(0, 50);
    const material = { random, ids, secrets, operation };
    const armed = armResponses(cloud, material);
    const others = random.chance(0.1) ? armOthers(cloud, material) : [];
    const requestId = `fuzz-${operation}-${index}`;
    const invoked = await call(requestId, scenario.remainingMs);
    const responses = [...armed, ...others].filter(({ handle }) => handle.hits > 0);
    const findSecrets = secretFinder(secrets);
    const isUnfuzzed = others.length > 0 ? () => false : (name: RegExp) => !name.test(operation);
    const findings = check({ scenario, requestId, invoked, cloud, responses, before, isUnfuzzed, findSecrets });
    // Replace the process, because its memory remains large and every later case in it would report too much memory.
    if (findings.some(({ guarantee }) => guarantee === "memory")) instances.discard(functionName);
    const requests = cloud.requests.map(
      ({ operation: name, status, fault, path }) => `${name ?? path} ${status ?? "-"}${fault ? ` (${fault})` : ""}`,
    );
    return { id, scenario, invoked, responses, findings, requests, limit: instance.limit };
  } finally {
    await cloud.close();
  }
}

function randomCredentials(random: Random) {
  const alphabet = random.pick([BASE64, BASE64URL, BASE64, PRINTABLE]);
  return {
    ak: random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 20),
    sk: random.text(random.chance(0.5) ? BASE64.slice(0, 62) : alphabet, 40),
    securityToken: random.text(alphabet, random.pick([60, 300, 1_500])),
    token: random.text(alphabet, random.pick([40, 300, 3_000])),
  };
}

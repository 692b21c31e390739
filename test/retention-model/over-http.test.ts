/** Tests prune-snapshots over HTTP with random scenarios on the embedded cloud. The variable `ESTATES` sets their number. */
import { expect, test } from "vitest";
import { WITHOUT_TOPIC } from "../support/common.ts";
import { createTestEnvironment } from "../support/environment.ts";
import { createRandom } from "../support/random.ts";
import { checkPromises } from "./check-promises.ts";
import { applyOverHttp, loadScenario } from "./over-http.ts";
import { createScenario } from "./random-scenario.ts";
import { compareWithDryRun } from "./run-scenario.ts";

const CASES = Number(process.env.ESTATES ?? 30);

test(`prune-snapshots breaks no promise over HTTP in ${CASES} random scenarios`, {
  timeout: 3_600_000,
}, async () => {
  const environment = await createTestEnvironment({
    variables: WITHOUT_TOPIC,
    timeoutSeconds: 900,
    random: createRandom(1),
  });
  let deletions = 0;
  const broken: string[] = [];
  for (let seed = 1; seed <= CASES; seed += 1) {
    const family = (["calm", "duplicates", "failures"] as const)[seed % 3];
    const scenario = createScenario(seed, family);
    loadScenario(scenario, environment);
    const dryRun = await applyOverHttp(
      { ...scenario, policy: { ...scenario.policy, dry_run: true }, deleteFaults: [] },
      environment,
    );
    const history = await applyOverHttp(scenario, environment);
    deletions += history.deletes.length;
    const found = [...checkPromises(dryRun), ...checkPromises(history)];
    if (history.isCalm && !scenario.policy.dry_run) found.push(...compareWithDryRun(history, dryRun));
    broken.push(...found.map(({ promise, text }) => `scenario ${seed}: ${promise}: ${text}`));
  }
  expect(broken).toEqual([]);
  expect(deletions).toBeGreaterThan(CASES);
});

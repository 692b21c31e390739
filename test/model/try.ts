import { judge } from "./judge.ts";
import { runScenario } from "./run-scenario.ts";
import { createScenario } from "./scenario.ts";

const [from, to, calm, verbose] = process.argv.slice(2);
const total: Record<string, number> = {};
const first: Record<string, number[]> = {};
const begin = performance.now();
for (let seed = Number(from); seed < Number(to); seed += 1) {
  const scenario = createScenario(seed, calm === "calm");
  const result = await runScenario(scenario);
  const verdict = judge(result);
  for (const [name, value] of Object.entries(verdict)) {
    const count = Array.isArray(value) ? value.length : value;
    total[name] = (total[name] ?? 0) + count;
    if (Array.isArray(value) && count > 0) {
      first[name] ??= [];
      if (first[name].length < 8) first[name].push(seed);
    }
  }
  if (verbose) {
    console.log(JSON.stringify(scenario));
    console.log(verdict);
    for (const [n, p] of result.processes.entries())
      console.log(
        n,
        p.delivery,
        p.isShard,
        p.isKilled,
        p.startedAt - 1795226400000,
        p.records
          .map((r) => `${r.resource.slice(-2)}:${r.outcome}@${((r.at - 1795226400000) / 1000).toFixed(1)}`)
          .join(" "),
        p.notices,
      );
    const base = Date.parse("2026-11-21T02:00:00Z");
    const events = [
      ...result.cloud.rows.map((r) => [
        r.sentAt - base,
        `p${r.process} create ${r.resource} commit ${(r.committedAt - base).toFixed(0)} visible ${(r.visibleAt - base).toFixed(0)}`,
      ]),
      ...result.cloud.lists.map((l) => [
        l.sentAt - base,
        `p${l.process} list ${l.resource ?? ""} until ${(l.answeredAt - base).toFixed(0)} shows ${[...l.shown].map((s) => s.slice(-2)).join(" ")}`,
      ]),
    ] as [number, string][];
    for (const [at, text] of events.sort((a, b) => a[0] - b[0])) console.log((at / 1000).toFixed(2), text);
  }
}
console.log(total, first, `${((performance.now() - begin) / (Number(to) - Number(from))).toFixed(1)} ms per scenario`);

/** Tests the picture that `npm run simulate` writes. */
import { describe, expect, test } from "vitest";
import { type SimulatedPolicy, simulateKinds } from "../../../../infra/local/simulate/kinds.ts";
import { drawSimulation } from "../../../../infra/local/simulate/picture.ts";
import { DEFAULT_PRUNE_EVERY } from "../../../../infra/local/simulate/simulate.ts";
import { markupFaults } from "../../../support/svg.ts";

const draw = (policy: Omit<SimulatedPolicy, "policy">, changes: object = {}, name = "nightly") => {
  const plan = {
    from: Date.parse("2026-11-21T02:00:00Z"),
    days: 400,
    everyHours: 24,
    pruneEvery: DEFAULT_PRUNE_EVERY,
    ...changes,
  };
  const named = { policy: name, ...policy };
  return drawSimulation(named, plan, simulateKinds(named, plan));
};
const GFS = { keep_daily: 7, keep_weekly: 4, keep_monthly: 12, keep_yearly: 7 };
const targets = (kind: "snapshot" | "standard-snapshot") => [{ kind }];

const CASES: [what: string, svg: () => string][] = [
  ["that keeps 3 snapshots", () => draw({ retention: { keep_last: 3 }, targets: targets("snapshot") })],
  ["with 4 rules over 400 days", () => draw({ retention: GFS, targets: targets("standard-snapshot") })],
  [
    "with 4 rules over 4000 days",
    () => draw({ retention: GFS, targets: targets("standard-snapshot") }, { days: 4000 }),
  ],
  [
    "that creates a snapshot every hour",
    () => draw({ retention: { keep_last: 48, keep_daily: 14 } }, { everyHours: 1, days: 60 }),
  ],
  ["that exceeds the limit of a disk", () => draw({ retention: GFS, targets: targets("snapshot") })],
  ["without a retention", () => draw({ targets: targets("standard-snapshot") })],
  ["of one day", () => draw({ retention: GFS }, { days: 1 })],
  ["with hostile characters in its name", () => draw({ retention: GFS }, { days: 2 }, `<"nightly" & 'co'>`)],
];

describe("the picture of a simulation", () => {
  test.each(CASES)(
    "the picture of a policy %s is well-formed, has no script, and refers to no other file",
    (_what, svg) => {
      expect(markupFaults(svg())).toEqual([]);
    },
  );

  test.each(CASES)(
    "in the picture of a policy %s, no text leaves the picture or covers another text of its line",
    (_what, svg) => {
      const lines = new Map<number, { from: number; to: number; text: string }[]>();
      for (const [, attributes = "", escaped = ""] of svg().matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)) {
        const [x = 0, y = 0] = ["x", "y"].map((name) =>
          Number(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1]),
        );
        const words = escaped.replace(/&#?\w+;/g, "?");
        const width = words.length * (attributes.includes("title") ? 9.6 : attributes.includes("heading") ? 7.8 : 6.6);
        const from = /\bend"/.test(attributes) ? x - width : /\bmiddle"/.test(attributes) ? x - width / 2 : x;
        expect(from, words).toBeGreaterThanOrEqual(0);
        expect(from + width, words).toBeLessThanOrEqual(700);
        lines.set(y, [...(lines.get(y) ?? []), { from, to: from + width, text: words }]);
      }
      for (const texts of lines.values()) {
        texts.sort((a, b) => a.from - b.from);
        for (const [index, { to, text }] of texts.entries()) {
          const next = texts[index + 1];
          if (next !== undefined) expect(next.from, `${text} | ${next.text}`).toBeGreaterThanOrEqual(to);
        }
      }
    },
  );

  test("the picture has a row for each rule, with a mark for each snapshot that the rule keeps", () => {
    const svg = draw({ retention: GFS, targets: targets("standard-snapshot") });
    const lanes = [...svg.matchAll(/class="end">(\w+)<\/text>\n<text[^>]*>(\d+)</g)].map(([, rule, count]) => [
      rule,
      Number(count),
    ]);
    expect(lanes).toEqual([
      ["keep_daily", 7],
      ["keep_weekly", 4],
      ["keep_monthly", 12],
      ["keep_yearly", 3],
    ]);
    expect(svg.match(/<rect [^>]*class="mark"/g)).toHaveLength(26);
  });

  test("the picture of a policy that exceeds the limit of a disk has a line at the limit, and crosses where create requests fail", () => {
    const svg = draw({ retention: GFS, targets: targets("snapshot") });
    expect(svg).toContain(
      '<title id="simulation-title">Does not fit: the policy nightly needs 24 snapshots of the kind snapshot, and the limit is 7.</title>',
    );
    expect(svg).toMatch(/<path d="M150 [\d.]+H680" class="limit"\/>/);
    expect(svg.match(/class="cross"/g)?.length).toBeGreaterThan(10);
    expect(svg).toContain("393 of 400 create requests fail.</text>");
    expect(svg).toContain(">limit 7<");
  });

  test("the picture states a limit far above the peak as text, because a line at the limit would flatten the chart", () => {
    const svg = draw({ retention: { keep_last: 3 }, targets: targets("standard-snapshot") });
    expect(svg).toContain("the limit of 256 is above the chart");
    expect(svg).not.toContain('class="limit"');
  });

  test("the picture shows the snapshots that the next prune run deletes as open marks in a separate row", () => {
    const svg = draw(
      { retention: { keep_last: 2 }, targets: targets("standard-snapshot") },
      { everyHours: 6, days: 10 },
    );
    expect(svg).toContain(">pruned next<");
    expect(svg.match(/<rect [^>]*class="open"/g)?.length).toBeGreaterThan(0);
  });

  test("the picture of 20,000 days has less than 64 KiB", { timeout: 60_000 }, () => {
    expect(draw({ retention: { keep_last: 3 } }, { days: 20_000 }).length).toBeLessThan(64 * 1024);
  });
});

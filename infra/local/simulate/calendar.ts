/** The picture of a simulation: a row for each rule, a mark for each day whose snapshot it still holds on the last day. */
import { rulesOf } from "./report.ts";
import type { Day, Rule } from "./simulate.ts";

const LEFT = 170;
const TOP = 58;
const ROW = 26;
const WIDEST = 1_200;
const COLOURS: Record<Rule | "held", string> = {
  keep_last: "#0b6e99",
  keep_within_days: "#4d8b31",
  keep_daily: "#d9730d",
  keep_weekly: "#ad1a72",
  keep_monthly: "#6940a5",
  keep_yearly: "#8a5a00",
  min_keep: "#e03e3e",
  held: "#37352f",
};

export function calendar(name: string, days: readonly Day[]): string {
  const cell = Math.min(14, WIDEST / days.length);
  const x = new Map(days.map(({ day }, index) => [day, LEFT + index * cell]));
  const last = days.at(-1);
  const held = last?.held ?? [];
  const rows = [...rulesOf([{ ...(last as Day), held }]), "held" as const];
  const width = LEFT + days.length * cell + 20;
  const bottom = TOP + rows.length * ROW;

  const months = days
    .filter(({ day }, index) => index === 0 || day.endsWith("-01"))
    .map(({ day }) => ({ day, at: x.get(day) ?? LEFT }))
    // The first one gives way where the next month begins right beside it.
    .filter(({ at }, index, all) => index > 0 || (all[1]?.at ?? width) - at > 54)
    .map(
      ({ day, at }) =>
        `<line x1="${n(at)}" y1="${TOP - 8}" x2="${n(at)}" y2="${bottom}" class="month"/>` +
        `<text x="${n(at + 3)}" y="${TOP - 12}" class="small">${day.slice(0, 7)}</text>`,
    )
    // Labels that would touch are left out.
    .filter((_, index) => index % Math.max(1, Math.ceil(54 / (cell * 30))) === 0);

  const marks = rows.flatMap((row, index) => {
    const y = TOP + index * ROW;
    const here = row === "held" ? held : held.filter(({ rules }) => rules.includes(row));
    return [
      `<text x="${LEFT - 10}" y="${y + 17}" text-anchor="end">${row}</text>`,
      `<text x="18" y="${y + 17}" class="small">${here.length}</text>`,
      `<line x1="${LEFT}" y1="${y + ROW - 2}" x2="${n(width - 20)}" y2="${y + ROW - 2}" class="row"/>`,
      ...here.map(
        ({ day, rules }) =>
          `<rect x="${n(x.get(day) ?? LEFT)}" y="${y + 4}" width="${n(Math.max(2, cell - 1))}" height="${ROW - 10}" fill="${COLOURS[row]}"><title>${day}: ${rules.join(", ")}</title></rect>`,
      ),
    ];
  });

  return `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${bottom + 16}" viewBox="0 0 ${n(width)} ${bottom + 16}" role="img" aria-labelledby="title">
<title id="title">${escaped(name)}: ${held.length} snapshots held on ${last?.day}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #37352f }
.small { font-size: 11px; fill: #787774 }
.month { stroke: #e9e9e7 }
.row { stroke: #f1f1ef }
</style>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="18" y="22" font-weight="600">${escaped(name)}</text>
<text x="${LEFT}" y="22" class="small">on ${last?.day}, of ${days.length} days: ${held.length} held; a mark is the day on which a held snapshot was taken</text>
${[...months, ...marks].join("\n")}
</svg>
`;
}

const n = (value: number): string => String(Math.round(value * 100) / 100);

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one] ?? one);

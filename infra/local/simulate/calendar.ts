/**
 * Draws a calendar with a row for each retention rule. Each mark in a row is the creation day of a snapshot that the rule still
 * retains on the last day.
 */
import { rulesOf } from "./report.ts";
import type { RetentionRule, SimulatedDay } from "./simulate.ts";

const LEFT = 170;
const TOP = 58;
const ROW = 26;
const MAX_WIDTH = 1_200;
const COLORS: Record<RetentionRule | "retained", string> = {
  keep_last: "#0b6e99",
  keep_within_days: "#4d8b31",
  keep_daily: "#d9730d",
  keep_weekly: "#ad1a72",
  keep_monthly: "#6940a5",
  keep_yearly: "#8a5a00",
  min_keep: "#e03e3e",
  retained: "#37352f",
};

/** Returns the calendar as an SVG picture. */
export function drawCalendar(name: string, days: readonly SimulatedDay[]): string {
  const dayWidth = Math.min(14, MAX_WIDTH / days.length);
  const xByDay = new Map(days.map(({ day }, index) => [day, LEFT + index * dayWidth]));
  const last = days.at(-1);
  const retained = last?.retained ?? [];
  const rows = [...rulesOf([{ ...(last as SimulatedDay), retained }]), "retained" as const];
  const width = LEFT + days.length * dayWidth + 20;
  const bottom = TOP + rows.length * ROW;

  const months = days
    .filter(({ day }, index) => index === 0 || day.endsWith("-01"))
    .map(({ day }) => ({ day, at: xByDay.get(day) ?? LEFT }))
    // Omit the first month's label if the next label would overlap it.
    .filter(({ at }, index, all) => index > 0 || (all[1]?.at ?? width) - at > 54)
    .map(
      ({ day, at }) =>
        `<line x1="${round(at)}" y1="${TOP - 8}" x2="${round(at)}" y2="${bottom}" class="month"/>` +
        `<text x="${round(at + 3)}" y="${TOP - 12}" class="small">${day.slice(0, 7)}</text>`,
    )
    // Omit month labels that would overlap.
    .filter((_, index) => index % Math.max(1, Math.ceil(54 / (dayWidth * 30))) === 0);

  const marks = rows.flatMap((row, index) => {
    const y = TOP + index * ROW;
    const marked = row === "retained" ? retained : retained.filter(({ rules }) => rules.includes(row));
    return [
      `<text x="${LEFT - 10}" y="${y + 17}" text-anchor="end">${row}</text>`,
      `<text x="18" y="${y + 17}" class="small">${marked.length}</text>`,
      `<line x1="${LEFT}" y1="${y + ROW - 2}" x2="${round(width - 20)}" y2="${y + ROW - 2}" class="row"/>`,
      ...marked.map(
        ({ day, rules }) =>
          `<rect x="${round(xByDay.get(day) ?? LEFT)}" y="${y + 4}" width="${round(Math.max(2, dayWidth - 1))}" height="${ROW - 10}" fill="${COLORS[row]}"><title>${day}: ${rules.join(", ")}</title></rect>`,
      ),
    ];
  });

  return `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${bottom + 16}" viewBox="0 0 ${round(width)} ${bottom + 16}" role="img" aria-labelledby="title">
<title id="title">${escapeXml(name)}: ${retained.length} snapshots retained on ${last?.day}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #37352f }
.small { font-size: 11px; fill: #787774 }
.month { stroke: #e9e9e7 }
.row { stroke: #f1f1ef }
</style>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="18" y="22" font-weight="600">${escapeXml(name)}</text>
<text x="${LEFT}" y="22" class="small">${retained.length} snapshots retained on ${last?.day}, after ${days.length} days. Each mark is the day on which a retained snapshot was created.</text>
${[...months, ...marks].join("\n")}
</svg>
`;
}

const round = (value: number): string => String(Math.round(value * 100) / 100);

const escapeXml = (text: string): string =>
  text.replace(
    /[&<>"]/g,
    (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character] ?? character,
  );

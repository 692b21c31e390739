/** Draws the result of a simulation: the number of snapshots over time, and the snapshots of the last day by age. */
import { instant } from "../../../shared/core/instant.ts";
import { createWallTimeConverter, DAY_MS } from "../../../shared/core/time-zone.ts";
import { drawHorizontalAxis, drawVerticalAxis } from "../../../shared/picture/axes.ts";
import { ageTicks, countTicks, dateTicks, linearScale, logScale, type Scale } from "../../../shared/picture/scales.ts";
import { drawPicture, element, stepPath, text } from "../../../shared/picture/svg.ts";
import { drawCross } from "../../../shared/picture/timeline.ts";
import { type KindResult, peakOf, type SimulatedPolicy } from "./kinds.ts";
import { countSnapshots, describeInterval, describeNeeds, describeVerdict, shortVerdict } from "./report.ts";
import { type RetainedSnapshot, RULES, type SimulatedDay, type SimulationPlan } from "./simulate.ts";

const WIDTH = 700;
const LEFT = 150;
const RIGHT = WIDTH - 20;
const CHART = { left: LEFT, right: RIGHT, top: 122, bottom: 272 };
const LANES_TOP = 346;
const LANE_HEIGHT = 24;
/** The average width of a character of 12 pixels, to place the text of the legend. */
const CHARACTER_WIDTH = 6.3;
/** The maximum number of characters of a text line in the picture. */
const MAX_CHARACTERS = 100;

/** Returns the picture as an SVG file. It shows the kind of snapshot whose create requests fail, or else the first kind. */
export function drawSimulation(policy: SimulatedPolicy, plan: SimulationPlan, results: readonly KindResult[]): string {
  const shown = results[0] as KindResult;
  const { days } = shown;
  const retained = days.at(-1)?.retained ?? [];
  const lanes = lanesOf(retained, policy.retention !== undefined);
  const verdict = describeVerdict(policy, results);
  const failures = shown.failed > 0 ? ` ${shown.failed} of ${shown.requests} create requests fail.` : "";
  const start = days[0]?.day;
  const end = days.at(-1)?.day;
  const bottom = LANES_TOP + lanes.length * LANE_HEIGHT;
  const counts = lanes.map(({ label, snapshots }) => `${label} ${snapshots.length}`).join(", ");
  return drawPicture({
    id: "simulation",
    title: verdict,
    description: `The first chart shows the number of snapshots of one resource from ${start} to ${end}: at most ${peakOf(days)} at the same time.${failures} The second chart shows ${countSnapshots(retained.length)} at the end of ${end} by age, in one row per rule: ${counts}. A snapshot that several rules keep is in several rows.`,
    width: WIDTH,
    height: bottom + 36,
    content: [
      text(20, 32, `${shortVerdict(results)}: ${policy.policy}`, { class: "title" }),
      text(20, 54, shorten(`${describeNeeds(results)}.${failures}`), { class: "muted" }),
      text(20, 86, `Snapshots of one resource, a new one ${describeInterval(plan)}`, { class: "heading" }),
      ...drawChart(shown),
      text(20, CHART.bottom + 54, `${countSnapshots(retained.length)} at the end of ${end}, by age and rule`, {
        class: "heading",
      }),
      ...drawLanes(lanes, ageOf(days.at(-1) as SimulatedDay, policy), bottom),
    ].join("\n"),
  });
}

const shorten = (line: string) => (line.length <= MAX_CHARACTERS ? line : `${line.slice(0, MAX_CHARACTERS - 1)}…`);

/** Returns the chart of the number of snapshots over time. */
function drawChart({ days, limit, failed }: KindResult): string[] {
  const times = days.map(({ day }) => Date.parse(day));
  const first = times[0] ?? 0;
  const end = (times.at(-1) ?? 0) + DAY_MS;
  const x = linearScale([first, end], [CHART.left, CHART.right]);
  const peak = peakOf(days);
  // A limit far above the peak would flatten the line of the snapshots.
  const isLimitShown = limit !== undefined && limit <= Math.max(2 * peak, 7);
  const max = Math.max(peak, isLimitShown ? limit : 0);
  const y = linearScale([0, max * 1.08], [CHART.bottom, CHART.top]);
  const line = (value: (day: SimulatedDay) => number) =>
    stepPath(
      highestValues(days, x, value).map((point) => ({ x: x(point.time), y: y(point.value) })),
      CHART.right,
    );
  const area = `${line(({ retained }) => retained.length)}V${CHART.bottom}H${CHART.left}Z`;
  return [
    drawHorizontalAxis(dateTicks(first, end, 6), x, CHART),
    drawVerticalAxis(countTicks(max), y, CHART.left, CHART.right),
    element("path", { d: area, class: "area" }),
    element("path", { d: line((day) => day.peak), class: "line" }),
    ...(isLimitShown
      ? [element("path", { d: `M${CHART.left} ${y(limit).toFixed(1)}H${CHART.right}`, class: "limit" })]
      : []),
    ...(failed > 0 ? crossesAt(days, x).map((place) => drawCross(place, y(limit ?? 0))) : []),
    ...drawLegend(limit, isLimitShown, failed > 0),
  ];
}

/** Returns the highest value per 4 pixels of the chart, because a line with more points is hard to read. */
function highestValues(days: readonly SimulatedDay[], x: Scale, value: (day: SimulatedDay) => number) {
  const points: { time: number; value: number }[] = [];
  for (const day of days) {
    const time = Date.parse(day.day);
    const last = points.at(-1);
    if (last !== undefined && x(time) - x(last.time) < 4) last.value = Math.max(last.value, value(day));
    else if (last?.value !== value(day) || points.length === 0) points.push({ time, value: value(day) });
  }
  return points;
}

/** Returns the places of the crosses on the days with failed create requests, at least 14 pixels apart. */
function crossesAt(days: readonly SimulatedDay[], x: Scale): number[] {
  const places: number[] = [];
  for (const { day, failed } of days) {
    const place = x(Date.parse(day) + DAY_MS / 2);
    if (failed > 0 && place - (places.at(-1) ?? 0) >= 14) places.push(place);
  }
  return places;
}

/** Returns the explanations of the signs in the chart, in a line above it. */
function drawLegend(limit: number | undefined, isLimitShown: boolean, hasFailed: boolean): string[] {
  const y = CHART.top - 14;
  const entries: { label: string; draw(x: number): string }[] = [
    {
      label: "at the end of the day",
      draw: (x) => element("rect", { x, y: y - 10, width: 22, height: 12, class: "area" }),
    },
    { label: "most on the day", draw: (x) => element("path", { d: `M${x} ${y - 4}h22`, class: "line" }) },
  ];
  if (isLimitShown) {
    entries.push({ label: `limit ${limit}`, draw: (x) => element("path", { d: `M${x} ${y - 4}h22`, class: "limit" }) });
  }
  if (hasFailed) entries.push({ label: "create requests fail", draw: (x) => drawCross(x + 11, y - 4) });
  let x = 20;
  const drawn = entries.map(({ label, draw }) => {
    const entry = draw(x) + text(x + 29, y, label, { class: "muted" });
    x += 29 + Math.round(label.length * CHARACTER_WIDTH) + 18;
    return entry;
  });
  const isAbove = limit !== undefined && !isLimitShown;
  return isAbove
    ? [...drawn, text(RIGHT, y, `the limit of ${limit} is above the chart`, { class: "muted end" })]
    : drawn;
}

/** The label of the snapshots that the next prune run deletes. */
const PRUNED_NEXT = "pruned next";

interface Lane {
  label: string;
  snapshots: RetainedSnapshot[];
}

/** Returns a lane for each rule that keeps snapshots, and a lane for the snapshots that no rule keeps. */
function lanesOf(retained: readonly RetainedSnapshot[], hasRetention: boolean): Lane[] {
  const lanes = RULES.map((rule) => ({
    label: rule as string,
    snapshots: retained.filter(({ rules }) => rules.includes(rule)),
  }));
  const label = hasRetention ? PRUNED_NEXT : "no retention";
  return [...lanes, { label, snapshots: retained.filter(({ rules }) => rules.length === 0) }].filter(
    ({ snapshots }) => snapshots.length > 0,
  );
}

/** Returns a function that returns the age of a snapshot at the end of a day, in milliseconds. */
function ageOf({ day }: SimulatedDay, { time_zone = "UTC" }: SimulatedPolicy) {
  const toWallTime = createWallTimeConverter(time_zone);
  return ({ created }: RetainedSnapshot) => Date.parse(day) + DAY_MS - toWallTime(instant(created));
}

/** Returns a row for each lane, with a mark for each snapshot, and the axis of ages below the rows. */
function drawLanes(lanes: readonly Lane[], age: (snapshot: RetainedSnapshot) => number, bottom: number): string[] {
  const ages = lanes.flatMap(({ snapshots }) => snapshots.map(age));
  // The axis ends at most one day ago, so the picture shows for how long no snapshot was created.
  const youngest = ages.reduce((min, one) => Math.min(min, one), DAY_MS) / 1.15;
  const oldest = Math.max(ages.reduce((max, one) => Math.max(max, one), 0) * 1.15, youngest * 4);
  const x = logScale([oldest, youngest], [LEFT, RIGHT]);
  const rows = lanes.flatMap(({ label, snapshots }, index) => {
    const top = LANES_TOP + index * LANE_HEIGHT;
    return [
      text(LEFT - 32, top + 16, label, { class: "end" }),
      text(LEFT - 8, top + 16, String(snapshots.length), { class: "muted end" }),
      ...placesOf(snapshots.map((snapshot) => x(age(snapshot)))).map((place) =>
        element("rect", {
          x: place - 2,
          y: top + 4,
          width: 4,
          height: 16,
          rx: 1,
          class: label === PRUNED_NEXT ? "open" : "mark",
        }),
      ),
    ];
  });
  const axis = { left: LEFT, right: RIGHT, top: LANES_TOP, bottom };
  return [drawHorizontalAxis(ageTicks([youngest, oldest], x, 62), x, axis), ...rows];
}

/** Omits the places that are less than half a pixel from another place, because they cannot be seen. */
const placesOf = (places: readonly number[]): number[] => [
  ...new Set(places.map((place) => Math.round(place * 2) / 2)),
];

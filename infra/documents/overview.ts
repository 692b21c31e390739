/** Draws the picture in README.md: what starts each function, what the functions create, and where the proof is. */
import { drawPicture, element, text } from "../../shared/picture/svg.ts";

const WIDTH = 700;
const HEIGHT = 372;
/** The columns of the picture: what starts a function, the functions, and what they work on. */
const COLUMNS = [
  { x: 20, width: 152, heading: "What starts a function" },
  { x: 244, width: 184, heading: "Functions" },
  { x: 500, width: 180, heading: "Results" },
] as const;
const TOP = 88;
const LINE_HEIGHT = 18;

interface Box {
  column: 0 | 1 | 2;
  y: number;
  title: string;
  lines: readonly string[];
}

const TIMER: Box = { column: 0, y: TOP + 18, title: "Timer", lines: ["with a policy: targets", "and retention"] };
const EVENT: Box = { column: 0, y: 202, title: "Audit event", lines: ["a disk was attached"] };
const REQUEST: Box = {
  column: 0,
  y: 290,
  title: "HTTP request",
  lines: ["a pipeline before it", "deploys, or a person"],
};

const SCHEDULED: Box = {
  column: 1,
  y: TOP,
  title: "On a schedule",
  lines: ["scheduled-snapshots", "verify-snapshots", "prune-snapshots", "report-coverage"],
};
const ATTACHED: Box = { column: 1, y: 202, title: "On an event", lines: ["disk-attached"] };
const CALLED: Box = { column: 1, y: 290, title: "Over HTTP", lines: ["pre-deploy, create-…", "report-coverage"] };

const SNAPSHOTS: Box = {
  column: 2,
  y: TOP,
  title: "Snapshots",
  lines: ["EVS disks: v2 and v5", "servers: v5 groups", "DWS clusters"],
};
const TOPIC: Box = { column: 2, y: 202, title: "Logging topic (LTS)", lines: ["one record per target"] };
const ALARMS: Box = { column: 2, y: 290, title: "Alarms (SMN)", lines: ["failures, and silence", "of a schedule"] };

const BOXES = [TIMER, EVENT, REQUEST, SCHEDULED, ATTACHED, CALLED, SNAPSHOTS, TOPIC, ALARMS];
const ARROWS: [from: Box, to: Box][] = [
  [TIMER, SCHEDULED],
  [EVENT, ATTACHED],
  [REQUEST, CALLED],
  [SCHEDULED, SNAPSHOTS],
  [SCHEDULED, TOPIC],
  [ATTACHED, SNAPSHOTS],
  [ATTACHED, TOPIC],
  [CALLED, SNAPSHOTS],
  [CALLED, TOPIC],
  [TOPIC, ALARMS],
];

/** Returns the picture as an SVG file. */
export function drawOverview(): string {
  return drawPicture({
    id: "overview",
    title: "Timers, audit events and HTTP requests start functions, which create snapshots and write records",
    description:
      "A timer with a policy starts scheduled-snapshots, verify-snapshots, prune-snapshots and report-coverage. An audit event about an attached disk starts disk-attached. An HTTP request of a pipeline or a person starts pre-deploy, the create functions or report-coverage. The functions create, verify and delete snapshots of EVS disks, of all disks of a server, and of DWS clusters. Each function writes one record per target to a logging topic. Alarms report failures and schedules without records.",
    width: WIDTH,
    height: HEIGHT,
    content: [
      text(20, 32, "Snapshots on a schedule, on an event and before a deployment", { class: "title" }),
      ...COLUMNS.map(({ x, heading }) => text(x, 66, heading, { class: "heading" })),
      ...ARROWS.map(([from, to]) => drawArrow(from, to)),
      ...BOXES.map(drawBox),
    ].join("\n"),
  });
}

const heightOf = ({ lines }: Box) => 24 + LINE_HEIGHT * lines.length;

function drawBox(box: Box): string {
  const { x, width } = COLUMNS[box.column];
  return [
    element("rect", { x, y: box.y, width, height: heightOf(box), rx: 6, class: "open" }),
    text(x + 12, box.y + 18, box.title, { class: "heading" }),
    ...box.lines.map((line, index) => text(x + 12, box.y + 36 + index * LINE_HEIGHT, line)),
  ].join("");
}

/** Returns an arrow from the right side of a box to the left side of the other, or downwards in the same column. */
function drawArrow(from: Box, to: Box): string {
  const [start, end] = [COLUMNS[from.column], COLUMNS[to.column]];
  if (from.column === to.column) {
    const x = start.x + start.width / 2;
    return element("path", { d: `M${x} ${from.y + heightOf(from)}V${to.y - 2}m-5 -7l5 7l5 -7`, class: "line" });
  }
  const [x1, x2] = [start.x + start.width, end.x - 2];
  const [y1, y2] = [from.y + heightOf(from) / 2, to.y + heightOf(to) / 2];
  const middle = (x1 + x2) / 2;
  return element("path", {
    d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}m-8 -5l8 5l-8 5`,
    class: "line",
  });
}

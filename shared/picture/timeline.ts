import { linearScale } from "./scales.ts";
import { drawInlinePicture, element } from "./svg.ts";

/** A snapshot on a timeline. Its shape shows its state: good is a filled circle, creating is an open circle, failed is a cross. */
export interface TimelineMark {
  /** When the snapshot was created, in epoch milliseconds. */
  time: number;
  state: "good" | "creating" | "failed";
}

export interface Timeline {
  /** Begins the ids of the picture. Must be unique in a page. */
  id: string;
  title: string;
  description: string;
  /** The first and the last moment that the timeline shows, in epoch milliseconds. */
  from: number;
  to: number;
  marks: readonly TimelineMark[];
  width: number;
}

const HEIGHT = 20;
const RADIUS = 4;

/** Returns a line with a mark for each snapshot, for a page that contains `PICTURE_STYLE`. Omits the marks outside of the line. */
export function drawTimeline({ from, to, marks, width, ...words }: Timeline): string {
  const scale = linearScale([from, to], [RADIUS + 2, width - RADIUS - 2]);
  const middle = HEIGHT / 2;
  const shown = marks.filter(({ time }) => time >= from && time <= to);
  // Draw failed snapshots last, so no other mark covers them.
  const ordered = [...shown].sort((a, b) => Number(a.state === "failed") - Number(b.state === "failed"));
  const content =
    element("line", { x1: 2, y1: middle, x2: width - 2, y2: middle, class: "axis" }) +
    ordered.map(({ time, state }) => drawMark(state, scale(time), middle)).join("");
  return drawInlinePicture({ ...words, width, height: HEIGHT, content });
}

/** Returns the mark of a snapshot, centered at a point. */
export function drawMark(state: TimelineMark["state"], x: number, y: number): string {
  if (state === "failed") return drawCross(x, y);
  return element("circle", { cx: x, cy: y, r: RADIUS, class: state === "good" ? "mark" : "open" });
}

/** Returns a cross, which marks a failure. */
export const drawCross = (x: number, y: number): string =>
  element("path", {
    d: `M${(x - RADIUS).toFixed(1)} ${y - RADIUS}l${2 * RADIUS} ${2 * RADIUS}m0 ${-2 * RADIUS}l${-2 * RADIUS} ${2 * RADIUS}`,
    class: "cross",
  });

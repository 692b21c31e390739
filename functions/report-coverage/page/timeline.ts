import { TIMELINE } from "../../../shared/coverage/coverage.ts";
import { formatCount, formatDay } from "./html.ts";

/** The width of a day in the picture, in pixels. */
const DAY_PX = 6;
const DAY_MS = 86_400_000;

/**
 * Each event has a lane and a shape of its own, so the picture can be read without colors: a good snapshot is a bar at the top,
 * a running one is a hollow square in the middle, and a failed one is a cross at the bottom.
 */
const SHAPES = [
  { value: TIMELINE.good, className: "g", draw: (x: number) => `M${x + 3} 0v12` },
  { value: TIMELINE.creating, className: "c", draw: (x: number) => `M${x + 1} 14h4v4h-4z` },
  { value: TIMELINE.failed, className: "x", draw: (x: number) => `M${x + 0.5} 20.5l5 6m0-6l-5 6` },
];

/**
 * Draws what happened on each day as an SVG picture with a text alternative.
 *
 * @param days a sum of `TIMELINE` values for each day, oldest first
 * @param end the end of the last day
 */
export function renderTimeline(days: Uint8Array, end: number): string {
  const paths = SHAPES.map(({ value, className, draw }) => {
    const path = [...days].map((day, index) => ((day & value) === 0 ? "" : draw(index * DAY_PX))).join("");
    return path === "" ? "" : `<path class=${className} d="${path}"/>`;
  });
  const width = days.length * DAY_PX;
  return (
    `<svg role=img viewBox="0 0 ${width} 28" width=${width} height=28><title>${describe(days, end)}</title>` +
    `<path class=d d="M2.5 6H${width}"/>${paths.join("")}</svg>`
  );
}

function describe(days: Uint8Array, end: number): string {
  const daysWith = (value: number) => [...days].flatMap((day, index) => ((day & value) === 0 ? [] : [index]));
  const dayOf = (index: number) => formatDay(end - (days.length - 1 - index) * DAY_MS);
  const good = daysWith(TIMELINE.good);
  const failed = daysWith(TIMELINE.failed);
  const creating = daysWith(TIMELINE.creating);
  const last = (indexes: number[]) => (indexes.length === 0 ? "" : `, last on ${dayOf(indexes.at(-1) ?? 0)}`);
  const sentences = [
    `Last ${formatCount(days.length, "day")}: good snapshots on ${formatCount(good.length, "day")}${last(good)}`,
    `failed attempts on ${formatCount(failed.length, "day")}${last(failed)}`,
    ...(creating.length === 0 ? [] : [`a snapshot is being created since ${dayOf(creating[0] ?? 0)}`]),
  ];
  return `${sentences.join("; ")}.`;
}

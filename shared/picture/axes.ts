import type { Scale, Tick } from "./scales.ts";
import { element, text } from "./svg.ts";

/** Returns grid lines from `top` to `bottom` at the ticks, a line at the bottom, and the labels below it. */
export function drawHorizontalAxis(
  ticks: readonly Tick[],
  scale: Scale,
  { left, right, top, bottom }: { left: number; right: number; top: number; bottom: number },
): string {
  const lines = ticks.map(({ value, label }) => {
    const x = scale(value);
    // Move the outer labels inwards, so they neither leave the picture nor cover the labels of the vertical axis.
    const halfWidth = label.length * 3.5;
    const anchor = x + halfWidth > right + 12 ? "end" : x - halfWidth < left - 4 ? "" : "middle";
    return (
      element("line", { x1: x, y1: top, x2: x, y2: bottom, class: "grid" }) +
      text(x, bottom + 16, label, { class: `muted ${anchor}`.trim() })
    );
  });
  return lines.join("") + element("line", { x1: left, y1: bottom, x2: right, y2: bottom, class: "axis" });
}

/** Returns grid lines from `left` to `right` at the ticks, and the labels to the left of them. */
export const drawVerticalAxis = (ticks: readonly Tick[], scale: Scale, left: number, right: number): string =>
  ticks
    .map(
      ({ value, label }) =>
        element("line", { x1: left, y1: scale(value), x2: right, y2: scale(value), class: "grid" }) +
        text(left - 8, scale(value) + 4, label, { class: "muted end" }),
    )
    .join("");

/** Tests the pictures: escaped texts, scales, ticks, and the timeline. */
import { describe, expect, test } from "vitest";
import { drawHorizontalAxis } from "../../../shared/picture/axes.ts";
import { ageTicks, countTicks, dateTicks, linearScale, logScale } from "../../../shared/picture/scales.ts";
import { drawPicture, element, escapeXml, PICTURE_STYLE, stepPath } from "../../../shared/picture/svg.ts";
import { drawTimeline } from "../../../shared/picture/timeline.ts";
import { markupFaults } from "../../support/svg.ts";

const DAY_MS = 86_400_000;
const day = (text: string) => Date.parse(text);

describe("the SVG code of a picture", () => {
  const picture = (title: string) =>
    drawPicture({
      id: "p",
      title,
      description: title,
      width: 700,
      height: 100,
      content: element("line", { x1: 1 / 3 }),
    });

  test.each([
    "</title><script>alert(1)</script>",
    `"onload="alert(1)`,
    "<![CDATA[ & ]]> -->",
    "a\u0000b\u001bc\ufffe\ud800",
  ])("a picture with the title %j is well-formed XML and contains the title only as text", (title) => {
    expect(markupFaults(picture(title))).toEqual([]);
    expect(picture(title)).not.toMatch(/<script|onload="/);
  });

  test("an escaped text has no character that XML does not allow", () => {
    expect(escapeXml("<&>\"' \u0000 \ud800 😀")).toBe("&lt;&amp;&gt;&quot;&#39; \ufffd \ufffd 😀");
  });

  test("a picture has a title and a description for screen readers, and styles for light and dark pages", () => {
    const svg = picture("t");
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" [^>]*role="img" aria-labelledby="p-title p-description">/,
    );
    expect(svg).toContain('<title id="p-title">t</title><desc id="p-description">t</desc>');
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(svg).toContain('x1="0.33"');
  });

  test("the text of a picture has a contrast of at least 4.5 on the background, on light and dark pages", () => {
    const [light = "", dark = ""] = [...PICTURE_STYLE.matchAll(/\.picture\{(--[^}]*)\}/g)].map(([, colors]) => colors);
    for (const colors of [light, dark]) {
      const { paper, ink, muted, line, bad } = Object.fromEntries(
        [...colors.matchAll(/--(\w+):(#\w+)/g)].map(([, name, color]) => [name, luminance(String(color))]),
      );
      const contrast = (one = 0) => (Math.max(one, paper ?? 0) + 0.05) / (Math.min(one, paper ?? 0) + 0.05);
      expect([ink, muted, line, bad].map(contrast).filter((value) => value < 4.5)).toEqual([]);
    }
  });

  test("a step path keeps each value until the next point", () => {
    const points = [
      { x: 0, y: 5 },
      { x: 10, y: 7.125 },
    ];
    expect(stepPath(points, 20)).toBe("M0 5H10V7.13H20");
  });
});

/** Returns the relative luminance of a color (WCAG 2.2). */
function luminance(color: string): number {
  const hex = color.length === 4 ? color.replace(/\w/g, "$&$&") : color;
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((place) => {
    const part = Number.parseInt(hex.slice(place, place + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe("scales and ticks", () => {
  test("a linear scale and a logarithmic scale map the ends of their domain to the ends of their range", () => {
    const linear = linearScale([0, 10], [100, 200]);
    expect([0, 5, 10].map(linear)).toEqual([100, 150, 200]);
    const log = logScale([1000, 1], [0, 300]);
    expect([1000, 10, 1].map((value) => Math.round(log(value)))).toEqual([0, 200, 300]);
    expect(linearScale([3, 3], [0, 10])(3)).toBe(0);
  });

  test.each([
    [1, [0, 1]],
    [7, [0, 2, 4, 6]],
    [24, [0, 5, 10, 15, 20]],
    [256, [0, 100, 200]],
    [400, [0, 100, 200, 300, 400]],
  ])("the ticks of an axis up to %i are integers at equal distances", (max, values) => {
    expect(countTicks(max).map(({ value }) => value)).toEqual(values);
  });

  test.each([
    ["2026-11-21", "2026-11-25", ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"]],
    ["2026-11-21", "2027-12-26", ["2027-01", "2027-04", "2027-07", "2027-10"]],
    ["2026-11-21", "2037-11-03", ["2028", "2030", "2032", "2034", "2036"]],
  ])("the ticks of an axis from %s to %s are at dates with short labels", (from, to, labels) => {
    expect(dateTicks(day(from), day(to), 6).map(({ label }) => label)).toEqual(labels);
  });

  test.each([1, 2, 5, 30, 60, 200, 400, 1_000, 4_000, 20_000])("an axis of %i days has 1 to 8 dates", (count) => {
    const ticks = dateTicks(day("2026-11-21"), day("2026-11-21") + count * DAY_MS, 6);
    expect(ticks.length).toBeGreaterThanOrEqual(1);
    expect(ticks.length).toBeLessThanOrEqual(8);
  });

  test("the ticks of an axis of ages have a minimum distance, and prefer 1 day, 1 week, 1 month and 1 year", () => {
    const ages = [DAY_MS / 24, 400 * DAY_MS] as const;
    const scale = logScale([ages[1], ages[0]], [150, 680]);
    const ticks = ageTicks(ages, scale, 62);
    expect(ticks.map(({ label }) => label)).toEqual(
      expect.arrayContaining(["1 hour", "1 day", "1 week", "1 month", "1 year"]),
    );
    const places = ticks.map(({ value }) => scale(value)).sort((a, b) => a - b);
    for (const [index, place] of places.entries())
      if (index > 0) expect(place - (places[index - 1] ?? 0)).toBeGreaterThanOrEqual(62);
  });

  test("the labels at the ends of an axis begin or end at their ticks, so they stay in the picture", () => {
    const ticks = [0, 50, 100].map((value) => ({ value, label: "2026-11-21" }));
    const svg = drawHorizontalAxis(ticks, linearScale([0, 100], [0, 300]), { left: 0, right: 300, top: 0, bottom: 10 });
    expect([...svg.matchAll(/<text[^>]*class="([^"]*)"/g)].map(([, name]) => name)).toEqual([
      "muted",
      "muted middle",
      "muted end",
    ]);
  });
});

describe("a timeline", () => {
  const timeline = (marks: Parameters<typeof drawTimeline>[0]["marks"]) =>
    drawTimeline({
      id: "disk-1",
      title: "<disk>",
      description: "d",
      from: day("2026-11-01"),
      to: day("2026-12-01"),
      width: 200,
      marks,
    });

  test("a timeline shows good, creating and failed snapshots as a filled circle, an open circle and a cross", () => {
    const svg = timeline([
      { time: day("2026-11-03"), state: "failed" },
      { time: day("2026-11-02"), state: "good" },
      { time: day("2026-11-30"), state: "creating" },
    ]);
    expect(svg.match(/<circle [^>]*class="mark"/g)).toHaveLength(1);
    expect(svg.match(/<circle [^>]*class="open"/g)).toHaveLength(1);
    // The cross is the last mark, so no other mark covers it.
    expect(svg).toMatch(/class="cross"\/><\/svg>$/);
    expect(markupFaults(svg)).toEqual([]);
    expect(svg).toContain("&lt;disk&gt;");
    expect(svg).not.toContain("<style>");
  });

  test("a timeline omits snapshots before its beginning and after its end", () => {
    const svg = timeline([
      { time: day("2026-10-31"), state: "good" },
      { time: day("2026-12-02"), state: "good" },
      { time: day("2026-12-01"), state: "good" },
    ]);
    expect(svg.match(/<circle/g)).toHaveLength(1);
    expect(svg).toContain('cx="194"');
  });
});

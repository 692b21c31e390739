/** Builds SVG pictures: elements with escaped values, and a document with colors for light and dark pages. */

/** Replaces the characters that have a meaning in XML, and the characters that XML does not allow. */
export const escapeXml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 does not allow these characters
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Rounds coordinates to hundredths of a pixel, so the file stays small. */
const round = (value: number): number => Math.round(value * 100) / 100;

/**
 * Returns an SVG element. Escapes the attributes, and rounds numbers.
 *
 * @param children SVG code
 * @example element("line", { x1: 0, y1: 8, x2: 40, y2: 8, class: "grid" })
 */
export function element(name: string, attributes: Record<string, string | number>, ...children: string[]): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escapeXml(value)}"`,
  );
  return `<${name}${written.join("")}${children.length === 0 ? "/>" : `>${children.join("")}</${name}>`}`;
}

/** Returns a text. `y` is the base line. The default size is 12 pixels. */
export const text = (x: number, y: number, content: string, attributes: Record<string, string | number> = {}): string =>
  element("text", { x, y, ...attributes }, escapeXml(content));

/** Returns the value of `d` for a line that keeps each value until the next point. */
export function stepPath(points: readonly { x: number; y: number }[], end: number): string {
  const steps = points.map(
    ({ x, y }, index) => `${index === 0 ? "M" : "H"}${round(x)}${index === 0 ? " " : "V"}${round(y)}`,
  );
  return `${steps.join("")}H${round(end)}`;
}

export interface Picture {
  /** Begins the ids of the title and the description. Must be unique in a page, and consist of letters, digits and hyphens. */
  id: string;
  /** What the picture shows, for screen readers. */
  title: string;
  /** What a person sees in the picture, for screen readers. */
  description: string;
  width: number;
  height: number;
  /** SVG code, drawn with the classes of `PICTURE_STYLE`. */
  content: string;
}

/** Returns an SVG picture for a page that contains `PICTURE_STYLE`. */
export function drawInlinePicture({ id, title, description, width, height, content }: Picture): string {
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "picture",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-labelledby": `${id}-title ${id}-description`,
    },
    element("title", { id: `${id}-title` }, escapeXml(title)),
    element("desc", { id: `${id}-description` }, escapeXml(description)),
    content,
  );
}

/** Returns an SVG file. Its colors depend on whether the reader prefers light or dark pages. */
export const drawPicture = (picture: Picture): string =>
  drawInlinePicture({
    ...picture,
    content: `<style>${PICTURE_STYLE}</style>${element("rect", { class: "paper", width: picture.width, height: picture.height, rx: 6 })}\n${picture.content}`,
  });

/** The style sheet of all pictures. Text has a contrast of at least 4.5:1 on the background, and lines of at least 3:1. */
export const PICTURE_STYLE = `
.picture{--paper:#fff;--ink:#1f2328;--muted:#57606a;--grid:#d8dee4;--fill:#bcd9fb;--line:#0550ae;--bad:#b3122b}
@media(prefers-color-scheme:dark){.picture{--paper:#0d1117;--ink:#e6edf3;--muted:#9da7b3;--grid:#343b44;--fill:#1d426e;--line:#79c0ff;--bad:#ff8a80}}
.picture text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
.picture .title{font-size:17px;font-weight:600}
.picture .heading{font-size:13px;font-weight:600}
.picture .muted{fill:var(--muted)}
.picture .end{text-anchor:end}
.picture .middle{text-anchor:middle}
.picture .paper{fill:var(--paper)}
.picture .grid{stroke:var(--grid)}
.picture .axis{stroke:var(--muted)}
.picture .area{fill:var(--fill)}
.picture .line{fill:none;stroke:var(--line);stroke-width:1.5}
.picture .mark{fill:var(--line)}
.picture .open{fill:var(--paper);stroke:var(--line);stroke-width:1.5}
.picture .limit{fill:none;stroke:var(--bad);stroke-width:2;stroke-dasharray:7 4}
.picture .cross{fill:none;stroke:var(--bad);stroke-width:2}
`;

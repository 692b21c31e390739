import { escapeControls } from "../../../shared/core/untrusted.ts";

/**
 * The characters with a meaning in HTML, and the backslash. The response of a function is JSON, in which a backslash takes two
 * bytes, so names that consist of backslashes could make the response too large.
 */
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\\": "&#92;",
};

/**
 * Makes text safe inside an HTML element or a quoted attribute. Characters that control a terminal, change the reading
 * direction or are invisible become visible escapes such as `\u202e`.
 *
 * @example escapeHtml("<b>") // "&lt;b&gt;"
 */
export const escapeHtml = (text: string): string =>
  isPlain(text) ? text : escapeControls(text).replace(/[&<>"'\\]/g, (character) => ENTITIES[character] ?? "");

/** Returns whether a text is ASCII without characters that HTML or a terminal could misread, as most texts are. */
const isPlain = (text: string): boolean => !/[^ !#-%(-;=?-[\]-~]/.test(text);

/** Returns the number of bytes of text in UTF-8. */
export const bytesOf = (text: string): number => Buffer.byteLength(text);

/**
 * Makes text safe as `escapeHtml` does, and shortens it to at most `maxBytes` bytes of HTML. A shortened text ends with `…`.
 * No character and no entity is split.
 *
 * @example fitHtml("a<b", 5) // "a…"
 */
export function fitHtml(text: string, maxBytes: number): string {
  if (text.length <= maxBytes && isPlain(text)) return text;
  // A character has at least one byte, so the text behind `maxBytes` characters never fits.
  const html = escapeHtml(text.length > maxBytes ? text.slice(0, maxBytes + 1) : text);
  if (bytesOf(html) <= maxBytes && text.length <= maxBytes) return html;
  if (maxBytes < ELLIPSIS_BYTES) return "";
  const kept = Buffer.from(html)
    .subarray(0, maxBytes - ELLIPSIS_BYTES)
    .toString();
  return `${kept.replace(INCOMPLETE_END, "")}…`;
}

const ELLIPSIS_BYTES = bytesOf("…");
/** Matches a character, an entity or an escape that was cut in two at the end of a text. */
const INCOMPLETE_END = /(?:\ufffd+|&[#\w]*|&#92;u[\da-f]{0,3})$/;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Formats the day of a time in UTC, such as `28 Nov`. */
export function formatDay(milliseconds: number): string {
  const date = new Date(milliseconds);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

/** Formats a time in UTC as an HTML element that shows, for example, `28 Nov 2026, 02:00 UTC`. */
export function formatTime(milliseconds: number): string {
  const iso = new Date(milliseconds).toISOString();
  return `<time datetime=${iso}>${formatDay(milliseconds)} ${iso.slice(0, 4)}, ${iso.slice(11, 16)} UTC</time>`;
}

/** Formats a number and a noun, such as `1 resource` or `42 resources`. */
export const formatCount = (count: number, noun: string): string =>
  `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Formats a whole number with separators, such as `10,000`. */
export const formatNumber = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

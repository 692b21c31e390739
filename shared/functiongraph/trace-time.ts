import { type Instant, instant, parseInstant } from "../core/instant.ts";

/** The earliest time that a trace can have. An earlier time is a placeholder. */
const EARLIEST_MS = Date.UTC(2015);
/** The time of a trace must be before this time. */
const LATEST_MS = Date.UTC(2100);

/** The maximum length of a time in a trace, in characters. */
const MAX_TIME_CHARACTERS = 64;

const DATES = [
  String.raw`\d{4}[/.-]\d{1,2}[/.-]\d{1,2}`,
  // The format 11/28/2026 has the month first, so a first number above 12 is invalid.
  String.raw`\d{1,2}/\d{1,2}/\d{4}`,
  String.raw`MONTH\.? \d{1,2},? \d{4}`,
  String.raw`\d{1,2}[ -]MONTH[ -]\d{4}`,
].map((date) => date.replace("MONTH", "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"));
const HOUR = String.raw`(?:[01]?\d|2[0-3])`;
const TIME_LAYOUT = new RegExp(
  String.raw`^(?:(?:sun|mon|tue|wed|thu|fri|sat)[a-z]*,? )?(?<date>${DATES.join("|")}),? ${HOUR}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?[ap]m)?` +
    String.raw`(?<zone> ?(?:gmt|utc|z)?(?: ?[+-]${HOUR}(?::?\d{2})?)?)(?: \([a-z ]+\))?$`,
  "i",
);
/**
 * Matches the day of the month in a date. If the date ends with a year, this is the last number before the year. Otherwise,
 * it is the last number.
 */
const DAY = /(\d{1,2})(?:\D*\d{4})?$/;

/**
 * Reads the time of a trace. A time without a time zone is read as UTC. The accepted formats are seconds or milliseconds
 * since 1970 as a number or a numeric string, ISO 8601, `2026/11/28 01:35:51 GMT+08:00`, `11/28/2026 01:35:51` (the month
 * first), and `Nov 28, 2026 01:35:51 GMT+08:00`, which *CTS User Guide, "Trace Structure" (cts_03_0010)* shows.
 *
 * @returns undefined for any other value, a date that does not exist, and a time before 2015 or after 2099
 */
export function readTraceTime(value: unknown): Instant | undefined {
  const milliseconds = typeof value === "number" ? toMilliseconds(value) : parseTimeText(value);
  return milliseconds !== undefined && milliseconds >= EARLIEST_MS && milliseconds < LATEST_MS
    ? instant(milliseconds)
    : undefined;
}

function parseTimeText(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > MAX_TIME_CHARACTERS) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return toMilliseconds(Number(text));
  return parseInstant(text) ?? parseLayout(text);
}

function parseLayout(text: string): number | undefined {
  const { date = "", zone } = TIME_LAYOUT.exec(text)?.groups ?? {};
  // Check the day first, because `Date.parse` converts 30 February to 2 March.
  if (new Date(`${date} 00:00 UTC`).getUTCDate() !== Number(DAY.exec(date)?.[1])) return undefined;
  // Append UTC to a time without a zone, because `Date.parse` would read it as local time.
  return Date.parse(zone === "" ? `${text} UTC` : text);
}

/**
 * Converts a time in seconds or milliseconds since 1970 into milliseconds. A number is treated as seconds if, as
 * milliseconds, it would mean a time before 2015.
 */
const toMilliseconds = (number: number): number => (number < EARLIEST_MS ? number * 1000 : number);

import { type Instant, instant, parseInstant } from "../core/instant.ts";

/** A time before 2015 is a placeholder and not the time of an event. */
const EARLIEST_MS = Date.UTC(2015);
const LATEST_MS = Date.UTC(2100);

const MAX_CHARACTERS = 64;

const DATES = [
  String.raw`\d{4}[/.-]\d{1,2}[/.-]\d{1,2}`,
  // The month is the first number, so a first number above 12 is invalid.
  String.raw`\d{1,2}/\d{1,2}/\d{4}`,
  String.raw`MONTH\.? \d{1,2},? \d{4}`,
  String.raw`\d{1,2}[ -]MONTH[ -]\d{4}`,
].map((date) => date.replace("MONTH", "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"));
const HOUR = String.raw`(?:[01]?\d|2[0-3])`;
const LAYOUT = new RegExp(
  String.raw`^(?:(?:sun|mon|tue|wed|thu|fri|sat)[a-z]*,? )?(?<date>${DATES.join("|")}),? ${HOUR}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?[ap]m)?` +
    String.raw`(?<zone> ?(?:gmt|utc|z)?(?: ?[+-]${HOUR}(?::?\d{2})?)?)(?: \([a-z ]+\))?$`,
  "i",
);
/** Matches the day: the last number, or the number before a year at the end. */
const DAY = /(\d{1,2})(?:\D*\d{4})?$/;

/**
 * Reads the time of a trace: seconds or milliseconds since 1970 as a number or a numeric string, ISO 8601,
 * `2026/11/28 01:35:51 GMT+08:00`, `11/28/2026 01:35:51` (the month first), or `Nov 28, 2026 01:35:51 GMT+08:00`, which
 * *CTS User Guide, "Trace Structure" (cts_03_0010)* shows. A time without a zone is in UTC.
 *
 * @returns undefined for any other value, a date that does not exist, and a time before 2015 or after 2099
 */
export function readTraceTime(value: unknown): Instant | undefined {
  const milliseconds = typeof value === "number" ? inMilliseconds(value) : readText(value);
  return milliseconds !== undefined && milliseconds >= EARLIEST_MS && milliseconds < LATEST_MS
    ? instant(milliseconds)
    : undefined;
}

function readText(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > MAX_CHARACTERS) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return inMilliseconds(Number(text));
  return parseInstant(text) ?? readLayout(text);
}

function readLayout(text: string): number | undefined {
  const { date = "", zone } = LAYOUT.exec(text)?.groups ?? {};
  // `Date.parse` reads 30 February as 2 March, so the day is checked first.
  if (new Date(`${date} 00:00 UTC`).getUTCDate() !== Number(DAY.exec(date)?.[1])) return undefined;
  // `Date.parse` reads a time without a zone as local time.
  return Date.parse(zone === "" ? `${text} UTC` : text);
}

/** Returns milliseconds for a number of seconds or milliseconds. A number that would be before 2015 in milliseconds is in seconds. */
const inMilliseconds = (number: number): number => (number < EARLIEST_MS ? number * 1000 : number);

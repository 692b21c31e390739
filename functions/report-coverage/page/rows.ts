import type { Instant } from "../../../shared/core/instant.ts";
import type { ResourceCoverage, ResourceType, RestorePoint } from "../../../shared/coverage/coverage.ts";
import type { RestoreCall } from "../../../shared/coverage/restore-call.ts";
import { ageHoursOf } from "../../../shared/coverage/rules.ts";
import { bytesOf, escapeHtml, fitHtml, formatCount, formatTime } from "./html.ts";
import { classOf } from "./states.ts";
import { renderTimeline } from "./timeline.ts";

/** What the rows of a page have in common. */
export interface RowContext {
  generatedAt: Instant;
  maxAgeHours: number;
  restoreCallOf: (resource: ResourceCoverage, point: RestorePoint) => Pick<RestoreCall, "requires" | "toText">;
}

/** The part of a compact row that the name leaves for the reason and the tags, in bytes. */
const REASON_BYTES = 90;
/** The maximum size of each text in a row with details, in bytes. A name of 255 characters fits in every script. */
const TEXT_BYTES = 1_600;

export const TYPE_WORDS: Readonly<Record<ResourceType, string>> = { volume: "disk", cluster: "cluster" };

/**
 * Renders the table row of a resource in at most `maxBytes` bytes. Shortens the name first, then the reason and the
 * tags. End tags that HTML does not need are left out, which saves 100 bytes per row.
 */
export function renderCompactRow(resource: ResourceCoverage, context: RowContext, maxBytes: number): string {
  const { state, type, sizeGb, newest, good, failed } = resource;
  const age = newest === undefined ? "none" : ageOf(newest, context);
  const start = `<tr class=${classOf(state)}><td>${state}<th><bdi>`;
  const middle = `</bdi><i>${fitHtml(resource.id, 48)}</i><td>${TYPE_WORDS[type]}<td>${sizeGb ?? ""}<td>${age}<td>${good}<td>${failed}`;
  const room = maxBytes - bytesOf(start) - bytesOf(middle) - 1;
  const name = fitHtml(nameOf(resource), Math.max(room - REASON_BYTES, room / 2));
  const note = state === "protected" ? formatTags(resource) : [resource.reason, formatTags(resource)].join(" ").trim();
  const noteRoom = room - bytesOf(name) - "<td><bdi></bdi>".length;
  const end = note === "" ? "" : `<td><bdi>${fitHtml(note, noteRoom)}</bdi>`;
  return `${start}${name}${middle}${end}\n`;
}

/** Renders the table row of a resource with its reason, tags, timeline and restore points. */
export function renderDetailedRow(resource: ResourceCoverage, context: RowContext): string {
  const { state, type, sizeGb, newest, good, failed, reason, serverIds, policies } = resource;
  const text = (value: string) => `<bdi>${fitHtml(value, TEXT_BYTES)}</bdi>`;
  const age = newest === undefined ? "none" : `${ageOf(newest, context)}<small>by ${text(newest.createdBy)}</small>`;
  const facts = [
    ["Tags", formatTags(resource)],
    [serverIds.length > 1 ? "Servers" : "Server", serverIds.join(", ")],
    [policies.length > 1 ? "Policies" : "Policy", policies.join(", ")],
  ]
    .filter(([, value]) => value !== "")
    .map(([term, value = ""]) => `<div><dt>${term}</dt><dd>${text(value)}</dd></div>`)
    .join("");
  return (
    `<tr class=${classOf(state)}><td>${state}<th>${text(nameOf(resource))}<i>${fitHtml(resource.id, 200)}</i>` +
    `<td>${TYPE_WORDS[type]}<td>${sizeGb ?? ""}<td>${age}<td>${good}<td>${failed}` +
    `<td><p>${text(reason)}</p>${facts === "" ? "" : `<dl>${facts}</dl>`}${renderRestorePoints(resource, context)}` +
    `<td>${renderTimeline(resource.timeline, context.generatedAt)}\n`
  );
}

function renderRestorePoints(resource: ResourceCoverage, context: RowContext): string {
  const points = resource.restorePoints.map((point) => ({ point, call: context.restoreCallOf(resource, point) }));
  if (points.length === 0) return "";
  const requirements = [...new Set(points.map(({ call }) => call.requires))];
  const items = points.map(({ point, call }) => {
    const group = point.groupId === undefined ? "" : ` of the group <i>${fitHtml(point.groupId, 100)}</i>`;
    return (
      `<li>${formatTime(point.created)}, ${ageOf(point, context)} old: ${escapeHtml(point.kind)} ` +
      `<bdi>${fitHtml(point.name, 300)}</bdi> <i>${fitHtml(point.id, 100)}</i>${group}, created by <bdi>${fitHtml(point.createdBy, 200)}</bdi>` +
      `<code>${escapeHtml(call.toText())}</code>` +
      (requirements.length > 1 ? `<p>${escapeHtml(call.requires)}</p>` : "")
    );
  });
  const shared = requirements.length === 1 ? `<p>${escapeHtml(requirements[0] ?? "")}</p>` : "";
  return `<details><summary>${formatCount(points.length, "restore point")}</summary>${shared}<ol>${items.join("")}</ol></details>`;
}

const ageOf = ({ created }: RestorePoint, { generatedAt, maxAgeHours }: RowContext): string =>
  `${ageHoursOf(created, generatedAt, maxAgeHours).toFixed(1)} h`;

const nameOf = ({ name }: ResourceCoverage): string => (name.trim() === "" ? "(no name)" : name);

const formatTags = ({ tags }: ResourceCoverage): string =>
  Object.entries(tags)
    .map(([key, value]) => (value === "" ? key : `${key}=${value}`))
    .join(", ");

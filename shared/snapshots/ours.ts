import type { FoundSnapshot } from "./kinds/kind.ts";

/** Why a snapshot is not one that we made, although it carries our marker: labels are copied along, by hand or by EVS. */
export function whyNotOurs({ name, labels, raw }: FoundSnapshot): string | undefined {
  if (name.startsWith("autobk_snapshot_")) return "made by a backup";
  if (Object.hasOwn(labels, "__system__enableActive") || raw.snapshot_type === "auto") return "made by the system";
  if (raw.snapshot_type === "copy") return "a copy";
  if (typeof raw.type === "string" && raw.type.toUpperCase() === "AUTO") return "automated";
  if (typeof raw.snapshot_group_id === "string" && raw.snapshot_group_id !== "") return "a member of a group";
  return undefined;
}

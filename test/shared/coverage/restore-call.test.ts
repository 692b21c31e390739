import { expect, test } from "vitest";
import { restoreCallOf } from "../../../shared/coverage/restore-call.ts";

const point = (kind: string, groupId?: string) => ({ kind, id: "5aa1b2c3-1", groupId });

test.each([
  [
    "snapshot",
    'POST /v2/p1/cloudsnapshots/5aa1b2c3-1/rollback {"rollback":{"volume_id":"disk-1"}}',
    /overwrites.*detach.*stop/,
  ],
  [
    "standard-snapshot",
    'POST /v5/p1/snapshots/5aa1b2c3-1/rollback {"rollback":{"volume_id":"disk-1"}}',
    /overwrites.*detach.*stop/,
  ],
  [
    "snapshot-group",
    'POST /v5/p1/snapshots/5aa1b2c3-1/rollback {"rollback":{"volume_id":"disk-1"}}',
    /other members of the group g1/,
  ],
  [
    "cluster-snapshot",
    'POST /v1.0/p1/snapshots/5aa1b2c3-1/actions {"restore":{"name":"restored-5aa1b2c3"}}',
    /new cluster/,
  ],
])("restoreCallOf returns the call of infra/README.md that restores from a %s", (kind, text, requires) => {
  const call = restoreCallOf("p1", { id: "disk-1" }, point(kind, kind === "snapshot-group" ? "g1" : undefined));
  expect(call.toText()).toBe(text);
  expect(`${call.method} ${call.path} ${JSON.stringify(call.body)}`).toBe(text);
  expect(call.requires).toMatch(requires);
});

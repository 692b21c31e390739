/** Tests how `verify` reports standard snapshots that remain although their snapshot group was deleted. */
import { describe, expect, test } from "vitest";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { verify } from "../../../shared/snapshots/verify.ts";
import {
  cloudError,
  createFixture,
  type DomainFixture,
  group,
  START,
  STATUS,
  snapshotOf,
  standard,
} from "../../support/domain.ts";

describe("verify if member snapshots of a deleted group still exist", () => {
  const member = (id: string, of: string, changes: Partial<FoundSnapshot> = {}) =>
    snapshotOf(id, "disk-1", { marker: undefined, raw: { snapshot_group_id: of }, ...changes });
  const verified = async (members: FoundSnapshot[], arrange: (fixture: DomainFixture) => void = () => {}) => {
    const fixture = createFixture();
    fixture.cloud.add(standard, ...members);
    fixture.cloud.add(group, snapshotOf("there", "server-1"), snapshotOf("foreign", "server-1", { marker: undefined }));
    arrange(fixture);
    await verify({ time: START, lookbackMinutes: 60 }, fixture.runContext);
    return fixture.notices;
  };

  test("verify adds a notice with the ids of deleted groups if members of these groups still exist", async () => {
    const left = [member("a", "gone"), member("b", "gone"), member("c", "lost"), member("d", "there")];
    expect(await verified([...left, member("e", "foreign")])).toEqual([
      "Standard snapshots of deleted groups remain. Delete them by hand. Their snapshot_group_id: gone, lost.",
    ]);
  });

  test("verify lists groups and members again after 6 s before it adds the notice, and lists nothing again if the group of each member exists", async () => {
    const fixture = createFixture();
    fixture.cloud.add(standard, member("a", "gone"));
    await verify({ time: START, lookbackMinutes: 60 }, fixture.runContext);
    expect(fixture.notices).toHaveLength(1);
    expect(fixture.cloud.calls.slice(4)).toEqual(["6 s listAll standard-snapshot", "6 s listAll snapshot-group"]);
    const whole = createFixture();
    whole.cloud.add(standard, member("d", "there"));
    whole.cloud.add(group, snapshotOf("there", "server-1"));
    await verify({ time: START, lookbackMinutes: 60 }, whole.runContext);
    expect(whole.cloud.calls).toHaveLength(4);
  });

  test("verify adds no notice about deleted groups if, in the second list responses, the members are missing or being deleted, or the groups are present", async () => {
    const changes: ((fixture: DomainFixture) => void)[] = [
      ({ cloud }) => void cloud.snapshots.set("standard-snapshot", []),
      ({ cloud }) => void cloud.snapshots.set("standard-snapshot", [member("a", "gone", STATUS.deleting)]),
      ({ cloud }) => cloud.add(group, snapshotOf("gone", "server-1")),
      ({ cloud }) => cloud.add(group, snapshotOf("gone", "server-1", STATUS.deleting)),
    ];
    for (const change of changes) {
      expect(
        await verified([member("a", "gone")], (fixture) => {
          fixture.cloud.onNextCalls("listAll", undefined, undefined, undefined, undefined, () => change(fixture));
        }),
      ).toEqual([]);
    }
  });

  test("verify names a deleted group in the notice only if both list responses contain a member of the group", async () => {
    const notices = await verified([member("a", "gone"), member("b", "lost")], ({ cloud }) =>
      cloud.onNextCalls("listAll", undefined, undefined, undefined, undefined, () =>
        cloud.snapshots.set("standard-snapshot", [member("b", "lost"), member("c", "new")]),
      ),
    );
    expect(notices).toEqual([expect.stringMatching(/ Their snapshot_group_id: lost\.$/)]);
  });

  test("verify adds no notice about deleted groups if the snapshots cannot be listed again, or if the deadline is less than 6 s away", async () => {
    const failed = await verified([member("a", "gone")], ({ cloud }) =>
      cloud.onNextCalls("listAll", undefined, undefined, undefined, undefined, cloudError("AccessDenied")),
    );
    expect(failed).toEqual([]);
    const short = createFixture({ seconds: 6 });
    short.cloud.add(standard, member("a", "gone"));
    await verify({ time: START, lookbackMinutes: 60 }, short.runContext);
    expect(short.notices).toEqual([]);
    expect(short.cloud.calls).toHaveLength(4);
  });

  test("verify adds no notice about deleted groups if their members are being deleted or the groups could not be listed", async () => {
    expect(await verified([member("a", "gone", STATUS.deleting), member("b", "")])).toEqual([]);
    const unlisted = await verified([member("a", "gone")], ({ cloud }) =>
      cloud.onNextCalls("listAll", undefined, undefined, cloudError("AccessDenied")),
    );
    expect(unlisted).toEqual([]);
  });

  test("verify names only the first 20 of 23 deleted groups in the notice", async () => {
    const many = Array.from({ length: 23 }, (_, index) => member(`m-${index}`, `g-${index}`));
    expect((await verified(many))[0]).toMatch(/: g-0, g-1, .*, g-19 and 3 more\.$/);
    expect((await verified(many.slice(0, 20)))[0]).toMatch(/, g-19\.$/);
  });
});

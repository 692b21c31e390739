import { describe, expect, test } from "vitest";
import type { Selector } from "../../../shared/snapshots/policy.ts";
import type { Resource } from "../../../shared/snapshots/ports.ts";
import { selectTargets } from "../../../shared/snapshots/select.ts";
import { cloudError, createFixture, snapshot } from "../../support/domain.ts";

describe("selectTargets", () => {
  const selectors = (...given: Omit<Selector, "kind">[]): Selector[] =>
    given.map((selector) => ({ kind: "snapshot", ...selector }));
  const RESOURCES: Resource[] = [
    { id: "disk-1", tags: { backup: "daily" } },
    { id: "disk-2", tags: { backup: "daily", scratch: "" } },
  ];

  test("selectTargets sends no list request for resources if all selectors have only ids", async () => {
    const fixture = createFixture();
    const { targets, failures, empty } = await selectTargets(
      selectors({ volume_ids: ["disk-9", "disk-8"] }),
      fixture.runContext,
    );
    expect(targets.map(({ resource }) => resource)).toEqual(["disk-9", "disk-8"]);
    expect([failures, empty]).toEqual([[], []]);
    expect(fixture.cloud.calls).toEqual([]);
  });

  test("selectTargets lists the disks only once for several selectors of disks, and the clusters only once", async () => {
    const fixture = createFixture();
    fixture.cloud.resources = RESOURCES;
    const { targets } = await selectTargets(
      [
        { kind: "snapshot", tags: { backup: "daily" } },
        { kind: "standard-snapshot", tags: { backup: "daily" }, exclude_tags: { scratch: "*" } },
        { kind: "cluster-snapshot", tags: { backup: "*" } },
        { kind: "snapshot", tags: { scratch: "*" } },
      ],
      fixture.runContext,
    );
    expect(targets.map(({ kind, resource }) => `${kind.name} ${resource}`)).toEqual([
      "snapshot disk-1",
      "snapshot disk-2",
      "standard-snapshot disk-1",
      "cluster-snapshot disk-1",
      "cluster-snapshot disk-2",
    ]);
    expect(fixture.cloud.requests()).toEqual(["resources snapshot", "resources cluster-snapshot"]);
  });

  test('selectTargets returns the paths of selectors that select nothing, such as "targets[1]"', async () => {
    const fixture = createFixture();
    fixture.cloud.resources = RESOURCES;
    const { empty, targets } = await selectTargets(
      selectors({ volume_ids: ["disk-1"] }, { tags: { bakcup: "daily" } }, { tags: { backup: "weekly" } }),
      fixture.runContext,
    );
    expect(empty).toEqual(["targets[1]", "targets[2]"]);
    expect(targets).toHaveLength(1);
  });

  test("selectTargets returns a failure for a kind whose resources cannot be listed, and selects the targets of the other kinds", async () => {
    const fixture = createFixture();
    fixture.cloud.resources = RESOURCES;
    const error = cloudError("AccessDenied");
    fixture.cloud.onNextCalls("resources", error);
    const { targets, failures, empty } = await selectTargets(
      [
        { kind: "snapshot", tags: { backup: "daily" } },
        { kind: "snapshot-group", tags: { backup: "daily" } },
        { kind: "snapshot", volume_ids: ["disk-1"] },
      ],
      fixture.runContext,
    );
    expect(failures).toEqual([{ kind: snapshot, error }]);
    expect(targets.map(({ kind }) => kind.name)).toEqual(["snapshot-group", "snapshot-group", "snapshot"]);
    expect(empty).toEqual([]);
  });

  test("selectTargets selects ids even if the resources cannot be listed, unless the selector has exclude_tags", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("resources", cloudError("AccessDenied"));
    const { targets, failures, refused } = await selectTargets(
      selectors(
        { volume_ids: ["disk-1"], tags: { backup: "daily" }, force: false },
        { volume_ids: ["disk-2"], exclude_tags: { scratch: "*" } },
      ),
      fixture.runContext,
    );
    expect(targets.map(({ resource, options }) => [resource, options.force])).toEqual([["disk-1", false]]);
    expect(failures.map(({ resource }) => resource)).toEqual([undefined, "disk-2"]);
    expect(refused.size).toBe(0);
  });

  test("selectTargets reports one failure for each id of a selector with exclude_tags if the resources cannot be listed", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("resources", cloudError("AccessDenied"));
    const { targets, failures } = await selectTargets(
      selectors({ volume_ids: ["disk-1", "disk-2"], exclude_tags: { scratch: "*" } }),
      fixture.runContext,
    );
    expect(targets).toEqual([]);
    expect(failures.map(({ resource }) => resource)).toEqual(["disk-1", "disk-2"]);
  });

  test("selectTargets with checkIds = true refuses ids that do not exist, and ignores the case of ids", async () => {
    const fixture = createFixture();
    fixture.cloud.resources = [{ id: "Disk-1", tags: {} }];
    const given = selectors({ volume_ids: ["DISK-1", "disk-9"] }, { volume_ids: ["disk-9"] });
    const { targets, failures, empty, refused } = await selectTargets(given, fixture.runContext, true);
    expect(
      targets.map((target) => [target.resource, refused.get(target)?.reason, refused.get(target)?.message]),
    ).toEqual([
      ["disk-1", undefined, undefined],
      [
        "disk-9",
        "NotFound",
        'volume_ids: expected the id of an existing resource, got "disk-9". Check the id and PROJECT_ID.',
      ],
    ]);
    expect([failures, empty]).toEqual([[], []]);
    expect(fixture.cloud.requests()).toEqual(["resources snapshot"]);
    expect((await selectTargets(given, fixture.runContext)).refused.size).toBe(0);
  });

  test("selectTargets with checkIds = true refuses every id if the resources cannot be listed", async () => {
    const fixture = createFixture();
    const error = cloudError("AccessDenied");
    fixture.cloud.onNextCalls("resources", error);
    const { targets, failures, refused } = await selectTargets(
      selectors(
        { volume_ids: ["disk-1"] },
        { volume_ids: ["disk-2"], exclude_tags: { scratch: "*" } },
        { volume_ids: ["disk-3"], tags: { backup: "daily" } },
      ),
      fixture.runContext,
      true,
    );
    expect(targets.map((target) => [target.resource, refused.get(target)])).toEqual([
      ["disk-1", error],
      ["disk-2", error],
      ["disk-3", error],
    ]);
    expect(failures).toEqual([{ kind: snapshot, error }]);
  });

  test("selectTargets repeats the list request for resources after a transient error", async () => {
    const fixture = createFixture();
    fixture.cloud.resources = RESOURCES;
    fixture.cloud.onNextCalls("resources", cloudError("CloudError"));
    expect((await selectTargets(selectors({ tags: { backup: "*" } }), fixture.runContext)).targets).toHaveLength(2);
  });
});

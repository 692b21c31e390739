/** Tests which resources `scheduled-snapshots` selects by id and by tag, in runs and dry runs. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { expectSuccess, UNKNOWN_ID } from "../support/common.ts";
import type { Invoked } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import type { Kind } from "../support/kinds.ts";
import { createFixture, recordsOf, resourceIds, resourcesWithSnapshots, sorted } from "../support/schedules.ts";

useFixedDate();

type Tags = Record<string, string>;

describe("the selection of resources", () => {
  const KINDS = {
    snapshot: {
      ids: "volume_ids",
      add: (cloud: EmbeddedCloud, id: string, tags: Tags) => cloud.addVolume({ id, tags }),
    },
    "standard-snapshot": { ids: "volume_ids", add: () => {} },
    "snapshot-group": {
      ids: "server_ids",
      add: (cloud: EmbeddedCloud, id: string, tags: Tags) => cloud.addServer({ id, tags }),
    },
    "cluster-snapshot": {
      ids: "cluster_ids",
      add: (cloud: EmbeddedCloud, id: string, tags: Tags) => cloud.addCluster({ id, tags }),
    },
  } as const;
  type KindName = keyof typeof KINDS;

  /** Generates tags from few keys and values, so they often match. The value `*` of a resource tag has no special meaning. */
  const tags = fc.dictionary(fc.constantFrom("a", "b", "A", "__proto__"), fc.constantFrom("x", "X", "", "*"), {
    maxKeys: 3,
    noNullPrototype: true,
  });
  const filter = tags.filter((chosen) => Object.keys(chosen).length > 0);
  const id = (index: number) => `${String(index).padStart(8, "a")}-0000-4000-8000-000000000000`;
  const ids = fc.array(
    fc.tuple(fc.nat(9), fc.boolean()).map(([index, upper]) => (upper ? id(index).toUpperCase() : id(index))),
    { minLength: 1, maxLength: 4 },
  );
  const selector = fc
    .tuple(
      fc.constantFrom<KindName>("snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"),
      fc.record({ ids, tags: filter, exclude_tags: filter }, { requiredKeys: [] }),
    )
    .filter(([, { ids, tags }]) => ids !== undefined || tags !== undefined);
  const resourceLists = fc.array(fc.tuple(fc.constantFrom("snapshot", "snapshot-group", "cluster-snapshot"), tags), {
    maxLength: 8,
  });

  /** Returns whether a resource has a tag. The value `*` matches any value. Keys and values are case-sensitive. */
  const hasTag = (tags: Tags, [key, value]: [string, string]) =>
    Object.hasOwn(tags, key) && (value === "*" || tags[key] === value);

  test("scheduled-snapshots selects each resource once, by its id or by all tags of a target, unless the resource has a tag in exclude_tags", {
    timeout: 30_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        resourceLists,
        fc.array(selector, { minLength: 1, maxLength: 4 }),
        async (resources, selectors) => {
          const { cloud, fire } = await createFixture();
          const all = new Map<string, { id: string; tags: Tags }[]>();
          for (const [index, [kind, tags]] of resources.entries()) {
            KINDS[kind as KindName].add(cloud, id(index), tags);
            all.set(KINDS[kind as KindName].ids, [
              // EVS and ECS list the newest disk and server first. DWS lists the oldest cluster first.
              ...(kind === "cluster-snapshot" ? (all.get("cluster_ids") ?? []) : []),
              { id: id(index), tags },
              ...(kind === "cluster-snapshot" ? [] : (all.get(KINDS[kind as KindName].ids) ?? [])),
            ]);
          }
          const expected = selectors.flatMap(([kind, { ids = [], tags, exclude_tags = {} }]) => {
            const existing = all.get(KINDS[kind].ids) ?? [];
            const byTag = tags
              ? existing.filter((one) => Object.entries(tags).every((pair) => hasTag(one.tags, pair)))
              : [];
            return [...ids.map((one) => one.toLowerCase()), ...byTag.map((one) => one.id)]
              .filter((one) => {
                const resourceTags = existing.find((other) => other.id === one)?.tags ?? {};
                return !Object.entries(exclude_tags).some((pair) => hasTag(resourceTags, pair));
              })
              .map((one) => `${kind} ${one} ${existing.some(({ id }) => id === one) ? "planned" : "failed"}`);
          });

          const { records, error } = await fire({
            dry_run: true,
            targets: selectors.map(([kind, { ids, ...filters }]) => ({
              kind,
              ...filters,
              ...(ids ? { [KINDS[kind].ids]: ids } : {}),
            })),
          });
          await cloud.close();
          expect(error === undefined).toBe(expected.every((one) => one.endsWith("planned")));
          expect(
            records.slice(0, -1).map(({ kind, resource_id, outcome }) => `${kind} ${resource_id} ${outcome}`),
          ).toEqual([...new Set(expected)]);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("scheduled-snapshots reads all list pages for 2,345 disks, 2,010 servers and 120 clusters", async () => {
    const { cloud, fire } = await createFixture();
    const selectedTags = { selected: "yes" };
    const addAndSelectHalf = (count: number, add: (tags: Tags) => { id: string }) =>
      Array.from({ length: count }, (_, index) => add(index % 2 ? selectedTags : {}).id).filter(
        (_, index) => index % 2,
      );
    const expected = {
      snapshot: addAndSelectHalf(2_345, (tags) => cloud.addVolume({ tags })),
      "snapshot-group": addAndSelectHalf(2_010, (tags) => cloud.addServer({ tags })),
      "cluster-snapshot": addAndSelectHalf(120, (tags) => cloud.addCluster({ tags })),
    };
    const { result, records } = await fire({
      dry_run: true,
      targets: Object.keys(expected).map((kind) => ({ kind, tags: selectedTags })),
    });
    expect(result.outcomes).toEqual({ planned: 1172 + 1005 + 60 });
    for (const [kind, ids] of Object.entries(expected)) {
      expect(sorted(resourceIds(records.filter((record) => record.kind === kind)) as string[])).toEqual(sorted(ids));
    }
  });

  test("scheduled-snapshots lists the disks once for two targets with tags, and sends no list request for a target with ids", async () => {
    const { cloud, fire, requests, addDisks } = await createFixture();
    const [disk] = addDisks(2, { backup: "daily" });
    const tags = { backup: "daily" };
    await fire({ dry_run: true, targets: ["snapshot", "standard-snapshot"].map((kind) => ({ kind, tags })) });
    // The second request shows that the list has no further page.
    expect(requests()).toEqual(["evs.listVolumes", "evs.listVolumes"]);
    expect(cloud.snapshots()).toEqual([]);
    await fire({ targets: [{ kind: "snapshot", volume_ids: [disk] }] });
    expect(cloud.count("evs.listVolumes")).toBe(2);
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual([disk]);
  });

  test("scheduled-snapshots selects resources that belong to an enterprise project", async () => {
    const { cloud, fire } = await createFixture();
    const enterpriseProjectId = "94f1ea84-1428-49b6-9920-8a9b8a29e4ca";
    const tags = { backup: "daily" };
    cloud.addVolume({ tags, enterpriseProjectId });
    cloud.addServer({ tags, enterpriseProjectId });
    cloud.addCluster({ tags, enterpriseProjectId });
    const kinds = ["snapshot", "snapshot-group", "cluster-snapshot"];
    const { result } = await fire({ dry_run: true, targets: kinds.map((kind) => ({ kind, tags })) });
    expect(result.outcomes).toEqual({ planned: 3 });
  });

  test.each<[what: string, operation: string, kind: string, add: (cloud: EmbeddedCloud) => string]>([
    ["disks", "evs.listVolumes", "snapshot", (cloud) => cloud.addVolume({ tags: { backup: "daily" } }).id],
    ["servers", "ecs.listServers", "snapshot-group", (cloud) => cloud.addServer({ tags: { backup: "daily" } }).id],
  ])(
    "scheduled-snapshots finds all 1,099 remaining %s if one of 1,100 is deleted between two list pages",
    async (_what, operation, kind, add) => {
      for (const page of [1, 2]) {
        const { cloud, fire } = await createFixture();
        const all = Array.from({ length: 1_100 }, () => add(cloud));
        const removedId = all.at(-5) as string;
        cloud.fault(
          { operation, nth: page },
          {
            type: "mutatePage",
            mutate: (changed) => {
              changed.removeVolume(removedId);
              changed.removeServer(removedId);
            },
          },
        );
        const { records } = await fire({ dry_run: true, targets: [{ kind, tags: { backup: "*" } }] });
        const planned = resourceIds(records.slice(0, -1));
        expect(all.filter((id) => id !== removedId && !planned.includes(id))).toEqual([]);
        expect(new Set(planned).size).toBe(planned.length);
      }
    },
  );

  test("scheduled-snapshots succeeds with a warning in its run record if no resource matches its policy", async () => {
    const { cloud, fire, addDisks } = await createFixture();
    addDisks(3, { backup: "weekly" });
    const { result, records } = expectSuccess(
      await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] }),
    );
    expect(result).toMatchObject({ targets: 0, outcomes: {} });
    expect(records).toEqual([expect.objectContaining({ action: "run", outcome: "done", level: "warn", outcomes: {} })]);
    expect(records[0].detail).toContain("selected nothing");
    expect(cloud.snapshots()).toEqual([]);
  });

  test("scheduled-snapshots writes one failed record for all snapshot groups if ECS rejects the request that lists the servers, and creates the disk snapshots", async () => {
    const { cloud, fire, addDisks } = await createFixture();
    const [disk] = addDisks(1, { backup: "daily" }) as [string];
    cloud.addServer({ tags: { backup: "daily" } });
    cloud.fault({ operation: "ecs.listServers" }, { type: "status", status: 403 });
    const tags = { backup: "daily" };
    const invoked = await fire({ targets: ["snapshot-group", "snapshot"].map((kind) => ({ kind, tags })) });
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual([disk]);
    expect(recordsOf(invoked, "failed")).toEqual([
      expect.objectContaining({ kind: "snapshot-group", error: expect.objectContaining({ reason: "AccessDenied" }) }),
      expect.objectContaining({ action: "run" }),
    ]);
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { accepted: 1, failed: 1 } });
  });
});

describe("a dry run", () => {
  test("scheduled-snapshots with dry_run records each selected disk as planned and creates nothing", async () => {
    const { cloud, fire, addDisks, requests } = await createFixture({ variables: { SHARD_SIZE: "2" } });
    const all = addDisks(5, { backup: "daily" });
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    const { result, records } = await fire({ targets, dry_run: true });
    expect(result).toMatchObject({ targets: 5, outcomes: { planned: 5 }, deferred_to: [] });
    expect(sorted(resourceIds(records.slice(0, -1)) as string[])).toEqual(sorted(all));
    expect(new Set(requests())).toEqual(new Set(["evs.listVolumes"]));
    expect(cloud.snapshots()).toEqual([]);
  });

  const KINDS: [kind: Kind, field: string, list: string, add: (cloud: EmbeddedCloud) => { id: string }][] = [
    ["snapshot", "volume_ids", "evs.listVolumes", (cloud) => cloud.addVolume()],
    ["standard-snapshot", "volume_ids", "evs.listVolumes", (cloud) => cloud.addVolume()],
    ["snapshot-group", "server_ids", "ecs.listServers", (cloud) => cloud.addServer()],
    ["cluster-snapshot", "cluster_ids", "dws.listClusters", (cloud) => cloud.addCluster()],
  ];
  test.each(KINDS)(
    "scheduled-snapshots with dry_run reports NotFound for an unknown id in a %s target, and accepts an existing id in upper case",
    async (kind, field, list, add) => {
      const { cloud, fire, requests } = await createFixture();
      const { id } = add(cloud);
      const { error, records } = await fire({
        dry_run: true,
        targets: [
          { kind, [field]: [UNKNOWN_ID, id.toUpperCase(), UNKNOWN_ID] },
          { kind, [field]: [id] },
        ],
      });
      expect(records).toEqual([
        expect.objectContaining({ kind, resource_id: UNKNOWN_ID, outcome: "failed", level: "error" }),
        expect.objectContaining({ kind, resource_id: id, outcome: "planned" }),
        expect.objectContaining({ action: "run", outcome: "failed", outcomes: { failed: 1, planned: 1 } }),
      ]);
      expect(records[0].error).toEqual({
        reason: "NotFound",
        message: `${field}: expected the id of an existing resource, got "${UNKNOWN_ID}". Check the id and PROJECT_ID.`,
      });
      expect(error?.message).toContain('"failed":1');
      expect(new Set(requests())).toEqual(new Set([list]));
      expect(cloud.snapshots()).toEqual([]);
    },
  );

  test.each(KINDS)(
    "scheduled-snapshots with dry_run reports AccessDenied for each id of a %s target if the service rejects the request that lists the resources of this kind",
    async (kind, field, list, add) => {
      const { cloud, fire } = await createFixture();
      const ids = [add(cloud), add(cloud)].map(({ id }) => id);
      cloud.fault({ operation: list }, { type: "status", status: 403 });
      const filters = [{}, { exclude_tags: { scratch: "*" } }, { tags: { backup: "daily" } }];
      for (const [place, filter] of filters.entries()) {
        const { records } = await fire({ dry_run: true, targets: [{ kind, [field]: ids, ...filter }] });
        const failed = recordsOf({ records } as Invoked, "failed").slice(0, -1);
        // If the target also has tags, the function adds a record without a resource_id, because it cannot find tagged resources.
        expect(sorted(resourceIds(failed).map(String))).toEqual(
          sorted([...ids, ...(place === 2 ? ["undefined"] : [])]),
        );
        expect(failed.every(({ error }) => error.reason === "AccessDenied")).toBe(true);
        expect(recordsOf({ records } as Invoked, "planned")).toEqual([]);
      }
    },
  );

  test("scheduled-snapshots with dry_run still plans the disk snapshots of a policy if ECS rejects the request that lists the servers", async () => {
    const { cloud, fire, addDisks } = await createFixture();
    const [disk] = addDisks(1);
    cloud.fault({ operation: "ecs.listServers" }, { type: "status", status: 403 });
    const { result, records } = await fire({
      dry_run: true,
      targets: [
        { kind: "snapshot-group", server_ids: [UNKNOWN_ID] },
        { kind: "snapshot", volume_ids: [disk] },
      ],
    });
    expect(result).toBeUndefined();
    expect(records.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ["snapshot-group", "failed"],
      ["snapshot", "planned"],
      [undefined, "failed"],
    ]);
  });
});

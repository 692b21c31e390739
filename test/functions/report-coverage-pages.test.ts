import { describe, expect, test } from "vitest";
import { createFixture, parseCsv, reportIn } from "../support/coverage-fixture.ts";
import type { Any } from "../support/environment.ts";

const MAX_BYTES = 3_500_000;

describe("the pages of report-coverage", () => {
  /** Creates a test environment with 1,100 disks. */
  const createLargeFixture = async () => {
    const fixture = await createFixture();
    for (let index = 0; index < 1_100; index += 1) fixture.addDisk(`disk-${index}`);
    return fixture;
  };

  test("report-coverage divides JSON and CSV into pages of 500 resources in the order of their ids", async () => {
    const { get } = await createLargeFixture();
    const pages: string[][] = [];
    for (const page of ["1", "2", "3", "4"]) {
      const invoked = await get({ page });
      const report = reportIn(invoked);
      expect(report).toMatchObject({ page: Number(page), pages: 3, counts: { unprotected: 1_100 } });
      expect([invoked.result.headers["x-page"], invoked.result.headers["x-pages"]]).toEqual([page, "3"]);
      pages.push(report.resources.map(({ id }: Any) => id));
      const csv = parseCsv((await get({ page, format: "csv" })).result.body).slice(1);
      expect(csv.map(([, id]) => id)).toEqual(pages.at(-1));
    }
    expect(pages.map((ids) => ids.length)).toEqual([500, 500, 100, 0]);
    expect(pages.flat()).toEqual(pages.flat().toSorted());
    expect(new Set(pages.flat()).size).toBe(1_100);
  });

  test("a page of report-coverage lists the same resources after snapshots were created and resources changed their state", async () => {
    const { addDisk, cloud, report } = await createLargeFixture();
    const idsOf = ({ resources }: Any) => resources.map(({ id }: Any) => id);
    const before = idsOf(await report({ page: "2" }));
    for (const volumeId of before.slice(0, 50)) cloud.addSnapshot({ kind: "snapshot", volumeId });
    addDisk("zero", [], { id: "ffffffff-ffff-4fff-bfff-ffffffffffff" });
    const after = await report({ page: "2" });
    expect(idsOf(after)).toEqual(before);
    expect(after.counts.protected).toBe(50);
  });

  test("report-coverage keeps each page below 3.5 MB in every format, even if names and tags are very long", async () => {
    const { addDisk, cloud, get } = await createFixture();
    const long = "長\"'\u202e".repeat(80);
    for (let index = 0; index < 510; index += 1) {
      addDisk("disk", index % 25 === 0 ? Array.from({ length: 7 }, (_, hours) => ({ hours: hours + 1 })) : []);
    }
    const tags = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index} ${long}`, long]));
    cloud.fault(
      { operation: "evs.listVolumes" },
      {
        type: "edit",
        edit: (body: Any) => {
          for (const volume of body.volumes) Object.assign(volume, { name: long, tags });
          return body;
        },
      },
    );
    for (const format of ["json", "csv", "html"]) {
      const { result } = await get({ format });
      expect([format, Buffer.byteLength(result.body) <= MAX_BYTES]).toEqual([format, true]);
      expect([format, Buffer.byteLength(JSON.stringify(result)) < 6 * 1024 * 1024]).toEqual([format, true]);
      if (format !== "json") continue;
      const { resources, pages } = JSON.parse(result.body);
      expect([resources.length, pages]).toEqual([500, 2]);
      for (const one of resources) {
        expect(one).toMatchObject({ truncated: true, restore_points: [], state: expect.any(String) });
        expect(Object.keys(one.tags).length).toBeLessThan(8);
      }
    }
  });

  test("if a page is too large, report-coverage omits restore points and tags only of the largest resources, and only as many as necessary", async () => {
    const { addDisk, cloud, get } = await createFixture();
    const large = new Set<string>();
    for (let index = 0; index < 500; index += 1) {
      const { id } = addDisk("disk", index % 5 === 0 ? [{ hours: 1 }] : []);
      if (index % 5 === 0) large.add(id);
    }
    const tags = Object.fromEntries(
      Array.from({ length: 80 }, (_, index) => [`${index} ${"k".repeat(600)}`, "v".repeat(600)]),
    );
    const edit = (body: Any) => {
      for (const volume of body.volumes) volume.tags = large.has(volume.id) ? tags : {};
      return body;
    };
    cloud.fault({ operation: "evs.listVolumes" }, { type: "edit", edit });
    const { result } = await get();
    const { resources } = JSON.parse(result.body);
    expect(resources).toHaveLength(500);
    for (const one of resources) {
      if (large.has(one.id)) {
        expect(one).toMatchObject({ truncated: true, restore_points: [] });
        expect(Object.keys(one.tags)).toHaveLength(64);
      } else expect(one).not.toHaveProperty("truncated");
    }
    expect(result.body.length).toBeGreaterThan(2_800_000);
  });
});

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { definition } from "../../functions/report-coverage/function.ts";
import { createFixture, parseCsv } from "../support/coverage-fixture.ts";
import type { Any } from "../support/environment.ts";

/** Divides a line at a separator, as a spreadsheet does: what follows the end of a quoted text belongs to the same cell. */
function cellsOf(line: string, separator: string): string[] {
  const cells = [""];
  let isQuoted = false;
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index];
    if (isQuoted && character === '"' && line[index + 1] === '"') {
      cells.push(`${cells.pop()}"`);
      index += 1;
    } else if (character === '"' && (isQuoted || cells.at(-1)?.trim() === "")) isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) cells.push("");
    else cells.push(`${cells.pop()}${character}`);
  }
  return cells;
}

describe("the formats of report-coverage", () => {
  test.each([
    [{}, {}, "application/json"],
    [{}, { accept: "*/*" }, "application/json"],
    [{}, { Accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8" }, "text/html; charset=utf-8"],
    [{}, { accept: "TEXT/CSV" }, "text/csv; charset=utf-8"],
    [{}, { accept: "text/html;q=0, */*" }, "application/json"],
    [{}, { accept: "text/html;q=0.5, application/json" }, "application/json"],
    [{}, { accept: "text/csv;q=0.9,text/html;level=1;q=0.8" }, "text/csv; charset=utf-8"],
    [{}, { accept: "application/json, text/csv, text/html" }, "text/html; charset=utf-8"],
    [{}, { accept: "text/csv; q=0.5, */*; q=0.5" }, "text/csv; charset=utf-8"],
    [{}, { accept: "text/html;q=0.5, */*" }, "application/json"],
    [{}, { accept: "text/htmlx, application/text/csv" }, "application/json"],
    [{ format: "json" }, { accept: "text/html" }, "application/json"],
    [{ format: "csv" }, { accept: "text/html" }, "text/csv; charset=utf-8"],
    [{ format: "html" }, {}, "text/html; charset=utf-8"],
  ])(
    "report-coverage responds to the query %j and the request headers %j with the content type %s",
    async (query, headers, type) => {
      const { addDisk, get } = await createFixture();
      addDisk("disk", [{ hours: 1 }]);
      const { result } = await get(query, headers as Record<string, string>);
      expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: false });
      expect(result.headers).toMatchObject({
        "content-type": type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-page": "1",
        "x-pages": "1",
        "x-request-id": expect.any(String),
      });
      for (const value of Object.values<string>(result.headers))
        expect(value).toMatch(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/);
    },
  );

  test("the content security policy of report-coverage allows only the style sheet and the script of the HTML page", async () => {
    const { addDisk, get } = await createFixture();
    addDisk("<script>alert(1)</script>");
    const { result } = await get({ format: "html" });
    const policy: string = result.headers["content-security-policy"];
    expect(policy).toMatch(/^default-src 'none'; /);
    for (const [tag, directive] of [
      ["style", "style-src"],
      ["script", "script-src"],
    ] as const) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(result.body)?.[1] ?? "";
      const hash = createHash("sha256").update(text).digest("base64");
      expect(policy).toContain(`${directive} 'sha256-${hash}'`);
    }
    expect(result.body).not.toContain("<script>alert");
    expect(result.body).toContain("&lt;script&gt;alert(1)");
  });

  test("report-coverage responds to an invalid request with JSON even if the caller requests HTML", async () => {
    const { get } = await createFixture();
    const { result } = await get({ format: "html", page: "0" }, { accept: "text/html" });
    expect([result.statusCode, result.headers["content-type"]]).toEqual([400, "application/json"]);
  });
});

describe("the example of the report in openapi.json", () => {
  test("the reason, the restore call and its requirements in the example of openapi.json match a report that report-coverage writes", async () => {
    const [example] = definition.operation.responses[200].example.resources;
    const { cloud, addDisk, report } = await createFixture();
    const { id, snapshots } = addDisk("data", [{ hours: 2.1 }]);
    const { resources } = await report();
    const ids = [cloud.projectId, snapshots[0]?.id ?? "", id];
    const examples = ["0123456789abcdef0123456789abcdef", example.newest.id, example.id];
    const text = ids.reduce(
      (all, one, index) => all.replaceAll(one, examples[index] ?? ""),
      JSON.stringify(resources[0]),
    );
    const { reason, restore_points } = JSON.parse(text);
    expect(reason).toBe(example.reason);
    const [{ restore, requires }] = restore_points;
    expect({ restore, requires }).toEqual({
      restore: example.restore_points[0].restore,
      requires: example.restore_points[0].requires,
    });
  });
});

describe("the CSV of report-coverage", () => {
  test("report-coverage writes a CSV header and one line for each resource, with the newest snapshot and its restore call", async () => {
    const { cloud, addDisk, get } = await createFixture();
    const { id, snapshots } = addDisk('a "quoted", name', [{ hours: 2.5 }], {
      size: 40,
      tags: { backup: "daily", b: "c" },
    });
    addDisk("empty");
    const { result } = await get({ format: "csv" });
    const [head = [], ...rows] = parseCsv(result.body);
    const records = rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index]])));
    expect(records.find((one) => one.id === id)).toMatchObject({
      type: "volume",
      name: 'a "quoted", name',
      state: "protected",
      size_gb: "40",
      tags: "backup=daily, b=c",
      good: "1",
      failed: "0",
      policies: "nightly",
      newest_id: snapshots[0]?.id,
      newest_age_hours: "2.5",
      restore: expect.stringContaining(
        `POST /v2/${cloud.projectId}/cloudsnapshots/${snapshots[0]?.id}/rollback {"rollback"`,
      ),
    });
    expect(rows).toHaveLength(2);
    expect(result.body.endsWith("\r\n")).toBe(true);
    expect(result.headers["content-disposition"]).toBe('attachment; filename="coverage.csv"');
  });

  test.each([
    ['=HYPERLINK("http://x")', `'=HYPERLINK("http://x")`],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "' =1"],
    ["\r=1", "' =1"],
    ["  =1", "'  =1"],
    ["＝1", "'＝1"],
    ["a;=1", "a;'=1"],
    ['a;"=1+1;', `a;'"=1+1;`],
    ['a; "" "+1', `a;' "" "+1`],
    ['"=1', `'"=1`],
    ["a|-1,@b", "a|'-1,'@b"],
    ["a\n=1", "a =1"],
    ["plain", "plain"],
    ["a-b@c=d", "a-b@c=d"],
  ])(
    "report-coverage writes the disk name %j to a CSV cell as %j, so no spreadsheet runs a formula",
    async (name, cell) => {
      const { addDisk, cloud, get } = await createFixture();
      addDisk("disk");
      cloud.fault(
        { operation: "evs.listVolumes" },
        { type: "edit", edit: (body: Any) => Object.assign(body.volumes[0] ?? {}, { name }) && body },
      );
      const { result } = await get({ format: "csv" });
      const [head = [], row = []] = parseCsv(result.body);
      expect(row[head.indexOf("name")]).toBe(cell);
    },
  );

  test.each([";", "|", ","])(
    "no cell of the CSV of report-coverage begins with a formula if a spreadsheet divides the lines at %j",
    async (separator) => {
      const { addDisk, cloud, get } = await createFixture();
      const names = [
        'a;"=1+1;',
        'a|"=1+1|',
        'a,"=1+1,',
        'a;""=1;',
        'a; "" "=1',
        '"";=1',
        '";"=1',
        'a;"";"=1";"',
        "a;\t@b",
      ];
      for (const _ of names) addDisk("disk");
      const edit = (body: Any) => {
        for (const [index, volume] of body.volumes.entries()) volume.name = names[index];
        return body;
      };
      cloud.fault({ operation: "evs.listVolumes" }, { type: "edit", edit });
      const { result } = await get({ format: "csv" });
      const cells = result.body.split("\r\n").flatMap((line: string) => cellsOf(line, separator));
      expect(cells.length).toBeGreaterThan(names.length);
      expect(cells.filter((cell: string) => /^\s*[=+\-@]/.test(cell))).toEqual([]);
    },
  );

  test("report-coverage writes a line of the type orphan to the CSV for each snapshot of a deleted disk", async () => {
    const { addDisk, cloud, get } = await createFixture();
    addDisk("disk");
    const { id, snapshots } = addDisk("gone", [{ hours: 50 }, { hours: 30 }]);
    cloud.removeVolume(id);
    const [head = [], ...rows] = parseCsv((await get({ format: "csv", states: "protected" })).result.body);
    const records = rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index]])));
    expect(records).toEqual(
      snapshots.map((snapshot) =>
        expect.objectContaining({
          type: "orphan",
          id: snapshot.id,
          state: "orphaned",
          reason: `The resource ${id} was deleted. Delete this snapshot if you do not need it.`,
          newest_kind: "snapshot",
          newest_created_at: expect.stringMatching(/^2026-11-\d\dT/),
          truncated: "",
        }),
      ),
    );
  });

  test("report-coverage writes a line of the type fault to the CSV for each list that could not be read", async () => {
    const { addDisk, cloud, get } = await createFixture();
    addDisk("disk");
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "status", status: 403 });
    const [head = [], ...rows] = parseCsv((await get({ format: "csv" })).result.body);
    const fault = rows.find(([type]) => type === "fault") ?? [];
    expect(fault[head.indexOf("state")]).toBe("unknown");
    expect(fault[head.indexOf("reason")]).toContain("The list of snapshots could not be read completely");
  });
});

/** Uses the coverage page as a person does: filters, sorts, opens restore points, with the mouse, the keyboard and no script. */
import { describe, expect, test } from "vitest";
import { HOSTILE_NAMES, makeReport } from "../support/coverage-reports.ts";
import { columnIn, namesIn, useChromium } from "./chromium.ts";

const open = useChromium();
const REPORT = makeReport({ resources: 300, orphans: 12 });
const COLUMNS = ["State", "Resource", "Type", "Size (GB)", "Newest good", "Good", "Failed", "Last 30 days"];

describe("the filters of the coverage page", () => {
  test("the page lists all resources until a filter is set, and then states how many resources match the filter", async () => {
    const { page } = await open(REPORT);
    expect(await namesIn(page)).toHaveLength(300);
    await page.getByLabel("Name, id, tag or reason").fill("orders app=orders");
    const names = await namesIn(page);
    expect(names).toHaveLength(REPORT.resources.filter(({ name }) => name.startsWith("orders-")).length);
    expect(names.filter((name) => !name.startsWith("orders-"))).toEqual([]);
    expect(await page.getByRole("status").textContent()).toBe(`Showing ${names.length} of 300`);
  });

  test("the page lists the resources that have any of the selected states and also match the selected type and the text", async () => {
    const { page } = await open(REPORT);
    await page.getByRole("checkbox", { name: "failing" }).check();
    await page.getByRole("checkbox", { name: "stale" }).check();
    expect(new Set(await columnIn(page, 1))).toEqual(new Set(["failing", "stale"]));
    expect(await namesIn(page)).toHaveLength(REPORT.counts.failing + REPORT.counts.stale);
    await page.getByLabel("Type").selectOption("disk");
    expect(new Set(await columnIn(page, 3))).toEqual(new Set(["disk"]));
    await page.getByLabel("Name, id, tag or reason").fill("no resource has this name");
    expect(await namesIn(page)).toEqual([]);
    expect(await page.getByText("No resource matches the filters.").isVisible()).toBe(true);
  });

  test("a button removes all filters", async () => {
    const { page } = await open(REPORT);
    const clear = page.getByRole("button", { name: "Clear filters" });
    expect(await clear.isVisible()).toBe(false);
    await page.getByLabel("Name, id, tag or reason").fill("mail");
    await page.getByRole("checkbox", { name: "protected" }).last().check();
    await clear.click();
    expect(await namesIn(page)).toHaveLength(300);
    expect(await clear.isVisible()).toBe(false);
    expect(await page.getByRole("status").textContent()).toBe("");
  });

  test("the page finds a resource by its id", async () => {
    const { page } = await open(REPORT);
    const wanted = REPORT.resources[123];
    await page.getByLabel("Name, id, tag or reason").fill(wanted?.id.toUpperCase() ?? "");
    expect(await namesIn(page)).toEqual([wanted?.name]);
  });
});

describe("the sorting of the coverage page", () => {
  test.each(COLUMNS.slice(1, 7))(
    "a click on the heading `%s` sorts in ascending order, a second click in descending order, and rows without a value are always last",
    async (title) => {
      const { page } = await open(REPORT);
      const column = COLUMNS.indexOf(title) + 1;
      const heading = page.getByRole("columnheader", { name: title, exact: true });
      const before = await namesIn(page);
      for (const order of ["ascending", "descending"]) {
        await heading.getByRole("button").click();
        expect(await heading.getAttribute("aria-sort")).toBe(order);
        expect(await page.locator("[aria-sort]").count()).toBe(1);
        // The cell of a resource also contains its id.
        const texts = title === "Resource" ? await namesIn(page) : await columnIn(page, column);
        const values = texts.filter((text) => text !== "" && text !== "none");
        expect(texts.slice(0, values.length)).toEqual(values);
        const compare = /^\d/.test(values[0] ?? "")
          ? (a: string, b: string) => Number.parseFloat(a) - Number.parseFloat(b)
          : (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });
        const sorted = [...values].sort((a, b) => (order === "ascending" ? compare(a, b) : compare(b, a)));
        const keyed = (text: string) => (/^\d/.test(text) ? Number.parseFloat(text) : text);
        expect(values.map(keyed)).toEqual(sorted.map(keyed));
      }
      expect((await namesIn(page)).sort()).toEqual(before.sort());
    },
  );

  test("a click on the heading `State` restores the initial order, worst state first, and a second click reverses this order", async () => {
    const { page } = await open(REPORT);
    const before = await namesIn(page);
    await page.getByRole("button", { name: "Resource", exact: true }).click();
    expect(await namesIn(page)).not.toEqual(before);
    const state = page.getByRole("button", { name: "State", exact: true });
    await state.click();
    expect(await namesIn(page)).toEqual(before);
    await state.click();
    expect(await namesIn(page)).toEqual(before.reverse());
  });

  test("after sorting by the last 30 days, the resources with the fewest days with a good snapshot are first", async () => {
    const { page } = await open(REPORT);
    await page.getByRole("button", { name: "Last 30 days" }).click();
    const titles = await page.locator("#list tbody tr:has(path.g) svg title").allTextContents();
    const days = titles.map((title) => Number(/good snapshots on (\d+)/.exec(title)?.[1]));
    expect(days.length).toBeGreaterThan(100);
    expect(days).toEqual([...days].sort((a, b) => a - b));
  });

  test("sorting keeps the filter, and filtering keeps the order", async () => {
    const { page } = await open(REPORT);
    await page.getByRole("checkbox", { name: "stale" }).check();
    await page.getByRole("button", { name: "Resource", exact: true }).click();
    expect(new Set(await columnIn(page, 1))).toEqual(new Set(["stale"]));
    await page.getByRole("checkbox", { name: "stale" }).uncheck();
    const names = await namesIn(page);
    expect(names).toHaveLength(300);
    expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true })));
  });
});

describe("the coverage page by keyboard", () => {
  test("Tab reaches the filters, the headings and the restore points in their visible order, each with a visible outline", async () => {
    const { page } = await open(makeReport({ resources: 3, orphans: 2, shares: { stale: 1 } }));
    const visited: string[] = [];
    for (let count = 0; count < 25; count += 1) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate<{ text: string; outline: string; width: number }>(`(() => {
        const element = document.activeElement;
        if (element === document.body) return { text: "" };
        const style = getComputedStyle(element);
        return { text: (element.labels?.[0] ?? element).textContent.trim().split("\\n")[0], outline: style.outlineStyle, width: parseFloat(style.outlineWidth) };
      })()`);
      if (focused.text === "" || visited.includes(focused.text)) break;
      expect([focused.text, focused.outline]).toEqual([focused.text, "solid"]);
      expect(focused.width).toBeGreaterThanOrEqual(2);
      visited.push(focused.text);
    }
    const indexOf = (text: string) => visited.findIndex((each) => each.includes(text));
    const order = ["unprotected", "excluded", "orphaned", "Name, id", "Type", "deleted disks", "State", "Last 30 days"];
    expect(order.map(indexOf)).toEqual(order.map(indexOf).sort((a, b) => a - b));
    expect(order.filter((text) => indexOf(text) < 0)).toEqual([]);
    expect(visited.at(-1)).toMatch(/restore point/);
  });

  test("the Space key selects a state, and the Enter key sorts by the focused heading or opens the focused restore points", async () => {
    const { page } = await open(REPORT);
    await page.getByRole("checkbox", { name: "failing" }).focus();
    await page.keyboard.press("Space");
    expect(new Set(await columnIn(page, 1))).toEqual(new Set(["failing"]));
    await page.getByRole("button", { name: "Resource", exact: true }).focus();
    await page.keyboard.press("Enter");
    const names = await namesIn(page);
    expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true })));
    await page.locator("#list summary").first().focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#list details[open] code").first().isVisible()).toBe(true);
  });
});

describe("the restore points of the coverage page", () => {
  test("a click opens the restore points of a resource, with the exact call, and sorting keeps them open", async () => {
    const { page } = await open(REPORT);
    const disk = REPORT.resources.find(({ state }) => state === "failing");
    const row = page.locator("#list tbody tr", { hasText: disk?.id ?? "" }).first();
    const call = row.locator("code").first();
    expect(await call.isVisible()).toBe(false);
    await row.locator("summary").click();
    expect(await call.isVisible()).toBe(true);
    const body = `{"rollback":{"volume_id":"${disk?.id}"}}`;
    const path = `/v2/${REPORT.projectId}/cloudsnapshots/${disk?.restorePoints[0]?.id}/rollback`;
    expect(await call.textContent()).toBe(`POST ${path} ${body}`);
    await page.getByRole("button", { name: "Size (GB)" }).click();
    expect(await call.isVisible()).toBe(true);
  });
});

describe("the coverage page without JavaScript", () => {
  test("without JavaScript, the page shows every resource, the counts and the restore points, and no control that does not work", async () => {
    const { page, problems } = await open(REPORT, { javaScriptEnabled: false });
    expect(await namesIn(page)).toHaveLength(300);
    expect(await page.locator("noscript p").isVisible()).toBe(true);
    expect(await page.locator("input:visible, select:visible, button:visible").count()).toBe(0);
    expect(await page.locator(".states li:visible").count()).toBe(7);
    await page.locator("#list summary").first().click();
    expect(await page.locator("#list code").first().isVisible()).toBe(true);
    await page.getByText("12 snapshots of deleted disks and clusters").click();
    expect(await page.getByText(REPORT.orphans[0]?.id ?? "").isVisible()).toBe(true);
    expect(problems).toEqual([]);
  });
});

describe("the coverage page with hostile names", () => {
  test.each([360, 768, 1440])(
    "hostile names are text, run no script and fit into a window of %d pixels",
    async (width) => {
      const report = makeReport({ resources: 260, names: HOSTILE_NAMES, orphans: 3, faults: [...HOSTILE_NAMES] });
      const { page, problems, requests } = await open(report, { viewport: { width, height: 900 } });
      const names = await namesIn(page);
      expect(names).toHaveLength(260);
      for (const name of HOSTILE_NAMES.filter((each) => /^[ -~]{3,100}$/.test(each) && each.trim() !== ""))
        expect(names).toContain(name);
      expect(names).toContain("\\u202egnp.exe\\u202c \\u2066\\u2069\\u2069 after");
      expect(names).toContain("(no name)");
      expect(await page.evaluate("window.hacked")).toBeUndefined();
      expect(await page.locator("main script, main img, main style").count()).toBe(0);
      await page.getByRole("button", { name: "Resource", exact: true }).click();
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      expect(problems).toEqual([]);
      expect(requests).toEqual(["/report-coverage"]);
    },
  );
});

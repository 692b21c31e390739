import { expect, onTestFinished, test } from "vitest";
import { printAddresses } from "../../../../infra/local/site/addresses.ts";
import { addCoverageEstate } from "../../../../infra/local/site/coverage-estate.ts";
import { startLocalSite } from "../../../../infra/local/site/local-site.ts";
import { createScreen } from "../../../../infra/local/terminal/screen.ts";

test("the link to the coverage report that the tour prints leads to a page with resources in every state", async () => {
  const localSite = await startLocalSite({ onLine: () => {} });
  onTestFinished(() => localSite.close());
  addCoverageEstate(localSite.cloud);
  const lines: string[] = [];
  printAddresses(localSite, { ...createScreen(), line: (text = "") => void lines.push(text) });
  const [url = ""] = /http\S+report-coverage\S+/.exec(lines.join("\n")) ?? [];
  const page = await fetch(url);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(await page.text()).toContain("search-data");
  const report = await fetch(url.replace("format=html", "format=json"));
  const { counts, complete } = (await report.json()) as { counts: Record<string, number>; complete: boolean };
  expect(complete).toBe(true);
  for (const [state, count] of Object.entries(counts)) expect([state, count > 0]).toEqual([state, true]);
  // A browser shows a page only for the method GET.
  const post = await fetch(url, { method: "POST", body: "{}" });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET"]);
});

/** Opens pages of the coverage report in a real browser, from a local server that sends the header of the function. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { headerPolicy, renderPage } from "../../functions/report-coverage/page/render-page.ts";
import type { Coverage } from "../../shared/coverage/coverage.ts";
import { restoreCallOf } from "../support/coverage-reports.ts";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** The flags keep Chromium from sending requests of its own. As root, its sandbox does not work. */
const FLAGS = [
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

export interface OpenPage {
  page: Page;
  /** The path of each request that reached the server, and the address of each other request. */
  requests: string[];
  /** The violations of the Content-Security-Policy, the errors of scripts, and the messages on the console. */
  problems: string[];
}

/** Starts the browser for the tests of a file. Returns a function that opens a page with a report. */
export function useChromium(): (coverage: Coverage, options?: BrowserContextOptions) => Promise<OpenPage> {
  let browser: Browser;
  beforeAll(async () => {
    if (!existsSync(CHROMIUM)) {
      throw new Error(
        `Chromium not found at ${CHROMIUM}. Install it (Debian: apt-get install chromium), or set CHROMIUM to its path.`,
      );
    }
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(() => browser?.close());

  return async (coverage, options = {}) => {
    const { html } = renderPage(coverage, { states: [], page: 1, maxBytes: 3_500_000, restoreCallOf });
    const requests: string[] = [];
    const problems: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? "");
      response.setHeader("content-security-policy", headerPolicy());
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    onTestFinished(async () => {
      await context.close();
      server.closeAllConnections();
      server.close();
    });
    const page = await context.newPage();
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`)) requests.push(request.url());
    });
    page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
    page.on("console", (message) => problems.push(`console: ${message.text()}`));
    await page.addInitScript(
      `document.addEventListener("securitypolicyviolation", (event) => console.error("violation of " + event.violatedDirective))`,
    );
    await page.goto(`${origin}/report-coverage`);
    return { page, requests, problems };
  };
}

/** Returns the names of the listed resources, in the order of the table. */
export const namesIn = (page: Page): Promise<string[]> => page.locator("#list tbody th bdi").allTextContents();

/** Returns the texts of a column, in the order of the table. */
export const columnIn = (page: Page, column: number): Promise<string[]> =>
  page.locator(`#list tbody tr > :nth-child(${column})`).allTextContents();

import { assert, assertEquals, assertGreater } from "@std/assert";
import { afterAll, beforeAll, describe } from "@std/testing/bdd";
import type { Browser, Page } from "npm:playwright-core@1.65.1";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { run } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { startDashboard } from "./support.ts";

noDescriptorLeaks();

const noChromium = await missingCommands("chromium");

/** Where to put the picture as well: that of the README, examples/dashboard.png, is made by this test. */
const SCREENSHOT = Deno.env.get("DASHBOARD_SCREENSHOT");

/** How long the page may take to come to something, in milliseconds: a hang should end with a report. */
const TIMEOUT_MS = 90_000;

/** The bars, in the page. What runs there is text: Deno knows no document. */
const BARS = 'Array.from(document.querySelectorAll(".bar"))';

async function whereIs(program: string): Promise<string> {
  const { stdout, report } = await run("sh", ["-c", `command -v ${program}`]);
  assert(stdout !== "", report);
  return stdout;
}

let browser: Browser;

beforeAll(async () => {
  if (noChromium !== null) return;
  const { chromium } = await import("npm:playwright-core@1.65.1");
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"];
  browser = await chromium.launch({
    executablePath: await whereIs("chromium"),
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", ...quiet],
  });
});

afterAll(async () => await browser?.close());

describe("The page of examples/dashboard.ts in Chromium", () => {
  /** Opens the page, and fails for whatever it complains of, or asks of others. */
  async function open(url: string, options: Parameters<Browser["newPage"]>[0] = {}) {
    const page = await browser.newPage({ viewport: { width: 1120, height: 640 }, ...options });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(request.url());
    });
    await page.addInitScript(`addEventListener("DOMContentLoaded", () => {
      const status = document.getElementById("status");
      self.shown = [status.textContent];
      new MutationObserver(() => shown.push(status.textContent)).observe(status, { childList: true });
    })`);
    await page.goto(url);
    return {
      page,
      async [Symbol.asyncDispose]() {
        await page.close();
        assertEquals(complaints, []);
      },
    };
  }

  /** Value and width of each bar, in order: those of datagrams first. */
  async function bars(page: Page): Promise<{ label: string; value: number; width: number }[]> {
    return await page.getByRole("meter").evaluateAll((all) =>
      all.map((bar) => ({
        label: bar.getAttribute("aria-label")!,
        value: Number(bar.getAttribute("aria-valuenow")),
        width: bar.getBoundingClientRect().width,
      }))
    );
  }

  /** Waits until something is true in the page. Playwright's own way is refused by the page's policy. */
  async function until(page: Page, expression: string): Promise<void> {
    const limit = performance.now() + TIMEOUT_MS;
    while (!await page.evaluate(expression)) {
      if (performance.now() > limit) throw new Error(`Not true after ${TIMEOUT_MS / 1000} s: ${expression}`);
      await page.waitForTimeout(20);
    }
  }

  /** Waits until every bar can be seen. */
  async function allBars(page: Page, workers: number): Promise<void> {
    await page.locator(".bar").nth(2 * workers - 1).waitFor({ state: "attached" });
    await until(page, `${BARS}.every((bar) => bar.getBoundingClientRect().width > 1)`);
  }

  itUnless(noChromium, "has a bar for each Worker and kind, and they move", async () => {
    const { dashboard, url } = await startDashboard();
    await using _dashboard = dashboard;
    await using opened = await open(url);
    const { page } = opened;
    await allBars(page, 4);
    const before = await bars(page);
    const labels = ["datagrams", "connections"].flatMap((kind) =>
      [1, 2, 3, 4].map((worker) => `${kind} per second of worker ${worker}`)
    );
    assertEquals(before.map(({ label }) => label), labels);
    for (const { value, width } of before) assert(value > 0 && width > 1, JSON.stringify(before));
    for (const [index, { value, width }] of before.entries()) {
      await until(
        page,
        `((bar) => bar.ariaValueNow != ${value} && bar.getBoundingClientRect().width !== ${width})(${BARS}[${index}])`,
      );
    }
    assertEquals(await page.locator("h1").textContent(), "One port, 4 Workers");
    // Nothing is called live before something has been counted.
    assertEquals([...new Set(await page.evaluate<string[]>("shown"))], ["connecting", "waiting", "live"]);
  });

  itUnless(noChromium, "adds up the counts of the Workers", async () => {
    const { dashboard, url } = await startDashboard("--workers", "2", "--rate", "1000");
    await using _dashboard = dashboard;
    await using opened = await open(url);
    const { page } = opened;
    await allBars(page, 2);
    for (const kind of ["datagrams", "connections"]) {
      const section = page.locator(`#${kind}`);
      const total = async () => Number((await section.locator(".total b").textContent())!.replaceAll(",", ""));
      const before = await total();
      assertGreater(before, 0);
      await until(page, `document.querySelector("#${kind} .total b").textContent.replaceAll(",", "") !== "${before}"`);
      assertGreater(await total(), before);
      const shares = await section.locator(".value span").allTextContents();
      const sum = shares.reduce((sum, share) => sum + parseInt(share), 0);
      assert(sum >= 99 && sum <= 101, shares.join());
    }
  });

  itUnless(noChromium, "shows that the program has ended, and reconnects no more", async () => {
    const { dashboard, url } = await startDashboard();
    await using _dashboard = dashboard;
    await using opened = await open(url);
    const { page } = opened;
    await allBars(page, 4);
    const { code, report } = await dashboard.end("SIGINT");
    assertEquals(code, 0, report);
    await page.locator("#status.ended").waitFor();
  });

  itUnless(noChromium, "has a dark mode, and fits a phone", async () => {
    const { dashboard, url } = await startDashboard();
    await using _dashboard = dashboard;
    const background = (page: Page) => page.evaluate("getComputedStyle(document.body).backgroundColor");
    await using light = await open(url, { colorScheme: "light" });
    await using dark = await open(url, { colorScheme: "dark", viewport: { width: 360, height: 740 } });
    assertEquals([await background(light.page), await background(dark.page)], [
      "rgb(245, 246, 248)",
      "rgb(15, 18, 22)",
    ]);
    await allBars(dark.page, 4);
    assertEquals(await dark.page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
  });

  itUnless(noChromium, "makes a screenshot", async () => {
    const { dashboard, url } = await startDashboard();
    await using _dashboard = dashboard;
    await using opened = await open(url, { colorScheme: "light", deviceScaleFactor: 1.5 });
    const { page } = opened;
    await allBars(page, 4);
    // One with the lines of a whole minute, where it is to be kept.
    const lines = SCREENSHOT === undefined ? 4 : 118;
    const drawn = 'document.querySelector("polyline").getAttribute("points").split(" ").length';
    await until(page, `${drawn} >= ${lines}`);
    const picture = await page.screenshot({ fullPage: true });
    assertEquals(new TextDecoder().decode(picture.subarray(1, 4)), "PNG");
    assert(picture.length > 10_000 && picture.length < 200_000, `${picture.length} bytes`);
    if (SCREENSHOT !== undefined) await Deno.writeFile(SCREENSHOT, picture);
  });
});

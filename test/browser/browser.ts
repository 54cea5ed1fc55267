// A real Chromium for tests of pages. `npm test` installs it before it starts them; run alone, they use what is there and say in their
// names why they are skipped.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { describe } from "vitest";
import { ROOT } from "../../tools/control-plane/versions.ts";
import { findBrowser } from "../../tools/browser/install.ts";

const found = findBrowser();
/** Pictures of what was tested, for people; nothing reads them. */
const SCREENSHOTS = join(ROOT, ".cache", "screenshots");
/** Below it a long page is more of the same, and a picture of it costs seconds. */
const MOST_PICTURED = 3_000;
/** It asks nobody anything of its own accord. */
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Like `describe`; skipped, with the reason in the name, where there is no browser. */
export function describeWithBrowser(name: string, tests: () => void): void {
  if (found !== undefined) describe(name, tests);
  else describe.skip(`${name} (no Chromium here: npm test installs one)`, tests);
}

export interface View {
  readonly width: number;
  readonly colorScheme: "light" | "dark";
}

export interface Opened {
  readonly page: Page;
  /** What the console said, errors of the page, and requests to anything but the page itself. */
  readonly complaints: readonly string[];
}

/** One browser, and a folder for the pages that it opens: from a file, as a person does who wrote one with `-o html > plan.html`. */
export class Chromium {
  readonly #browser: Browser;
  readonly #folder = mkdtempSync(join(tmpdir(), "rollward-pages-"));
  readonly #opened = new Map<string, Promise<Opened>>();

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<Chromium> {
    if (found === undefined) throw new Error("there is no browser");
    const env = { ...process.env, ...found.env } as Record<string, string>;
    // As root there is no sandbox to be had; the pages are our own.
    return new Chromium(await chromium.launch({ executablePath: found.path, env, args: FLAGS, chromiumSandbox: false }));
  }

  /** The page of that name as that view shows it; opened once, for it does not change. */
  open(name: string, html: string, view: View): Promise<Opened> {
    const key = `${name}-${view.width}-${view.colorScheme}`;
    const opened = this.#opened.get(key) ?? this.#open(name, html, view);
    this.#opened.set(key, opened);
    return opened;
  }

  async #open(name: string, html: string, { width, colorScheme }: View): Promise<Opened> {
    const file = join(this.#folder, `${name}.html`);
    writeFileSync(file, html);
    const address = `file://${file}`;
    const page = await this.#browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("request", (request) => {
      if (request.url() !== address) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(address);
    mkdirSync(SCREENSHOTS, { recursive: true });
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const path = join(SCREENSHOTS, `${name}-${width}-${colorScheme}.png`);
    await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, MOST_PICTURED) } });
    return { page, complaints };
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

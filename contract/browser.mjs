// A page in a real browser, watched for everything that goes wrong on it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/**
 * Opens a page, which must have a content security policy, lets `visit` use it, and gives what went wrong: errors of the page,
 * such as a script that the policy refused, requests that failed, and what `visit` says itself. The browser gets `more` arguments.
 */
export async function visited(executablePath, url, visit, more = []) {
  const profile = mkdtempSync(join(tmpdir(), "souk-chromium-"));
  const faults = [];
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: { width: 1280, height: 1600 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => faults.push(`page: ${error}`));
    page.on("console", (line) => line.type() === "error" && faults.push(`console: ${line.text()}`));
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // The page gave it up itself, as when a stream is stopped.
      if (why !== "net::ERR_ABORTED") faults.push(`request: ${request.url()} ${why}`);
    });
    const opened = await page.goto(url);
    if (!opened?.headers()["content-security-policy"]) faults.push("the page has no content security policy");
    await visit(page, faults);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
  return faults;
}

/** Ends the program: badly, with the faults, when there are any. */
export function conclude(faults, good) {
  if (faults.length > 0) {
    console.error(faults.join("\n"));
    process.exit(1);
  }
  console.log(good);
}

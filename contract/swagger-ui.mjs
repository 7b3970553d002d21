// Opens Swagger UI as a person would: in a browser, expands an operation, presses "Try it out" and "Execute", and reads
// the answer. Fails on any error of the page, such as a script that the content security policy refused.
//
// usage: node swagger-ui.mjs <base URL> <chromium> <screenshot.png>
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, executablePath, screenshot] = process.argv.slice(2);
const operation = "list_products";
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
  ],
});
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => faults.push(`page: ${error}`));
  page.on("console", (line) => line.type() === "error" && faults.push(`console: ${line.text()}`));
  page.on("requestfailed", (request) => faults.push(`request: ${request.url()} ${request.failure()?.errorText}`));

  const opened = await page.goto(`${base}/swagger-ui/`);
  if (!opened?.headers()["content-security-policy"]) faults.push("the page has no content security policy");

  const block = page.locator(`.opblock[id$="-${operation}"]`);
  await block.waitFor({ timeout: 20_000 });
  await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").click();
  await block.locator(".btn.execute").click();
  const status = block.locator(".live-responses-table .response-col_status").nth(1);
  await status.waitFor({ timeout: 20_000 });
  const code = (await status.innerText()).trim();
  const body = await block.locator(".live-responses-table .highlight-code, .live-responses-table .microlight").first().innerText();
  await page.screenshot({ path: screenshot, fullPage: false });
  if (!code.startsWith("200")) faults.push(`${operation} answered ${code}`);
  if (!body.includes('"items"')) faults.push(`${operation} showed no items: ${body.slice(0, 200)}`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`Swagger UI executed ${operation}; screenshot in ${screenshot}`);

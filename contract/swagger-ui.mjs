// Opens Swagger UI as a person would: in a browser, expands an operation, presses "Try it out" and "Execute", and reads
// the answer. Fails on any error of the page, such as a script that the content security policy refused.
//
// usage: node swagger-ui.mjs <base URL> <chromium> <screenshot.png>
import { conclude, visited } from "./browser.mjs";

const [base, chromium, screenshot] = process.argv.slice(2);
const operation = "list_products";

const faults = await visited(chromium, `${base}/swagger-ui/`, async (page, faults) => {
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
});
conclude(faults, `Swagger UI executed ${operation}; screenshot in ${screenshot}`);

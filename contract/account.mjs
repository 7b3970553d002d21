// Opens the pages that links in letters lead to, as a person would: asks for a letter, and follows a link that is none.
import { conclude, visited } from "./browser.mjs";

const [base, chromium] = process.argv.slice(2);

const asked = await visited(chromium, `${base}/account/forgotten-password`, async (page, faults) => {
  await page.fill("[name=email]", "nobody@example.com");
  await page.click("#go");
  await page.getByText("is on its way").waitFor();
  if (await page.isVisible("#form")) faults.push("the form is still there");
});
const used = await visited(chromium, `${base}/account/verify-email#token=${"0".repeat(64)}`, async (page, faults) => {
  if (page.url().includes("token")) faults.push("the token is still in the address");
  // A refusal is no fault of the page, but the browser says so on its console.
  const before = faults.length;
  await page.click("#go");
  await page.getByText("unknown, was used or has ended").waitFor();
  faults.splice(before, faults.length, ...faults.slice(before).filter((one) => !one.includes("422")));
});
conclude([...asked, ...used], "/account/.. asked for a letter and told of a link that leads nowhere");

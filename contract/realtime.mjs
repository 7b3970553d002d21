// Opens /docs/realtime as a person would: signs in as a seller, listens, and sees what is changed over HTTP meanwhile, a
// draft too; comes back after the stream is stopped, and is told what was missed. Where the server has rooms, joins one and
// says something. Fails on any error of the page.
//
// usage: node realtime.mjs <base URL> <chromium> <screenshot.png> <email> <password>, of a seller
import { conclude, visited } from "./browser.mjs";

const [base, chromium, screenshot, email, password] = process.argv.slice(2);
const timeout = 20_000;

async function call(method, path, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(`${base}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const { token } = await call("POST", "/auth/login", { email, password });
const create = (name, status) => call("POST", "/products", { name, status, price: 19.95, stock: 3 }, token);
const pushed = await fetch(`${base}/api-docs/asyncapi.json`).then((answer) => answer.json());
const done = [];

const faults = await visited(chromium, `${base}/docs/realtime`, async (page, faults) => {
  const events = page.locator("#events tr");
  const is = (id, text) => page.locator(`#${id}`).filter({ hasText: text }).waitFor({ timeout });
  const listen = async () => {
    await page.locator("#listen button").first().click();
    await is("stream-state", /^open$/);
  };

  // Nobody is signed in yet: what is public is heard.
  await listen();
  const shown = await create("Lamp on the page", "published");
  await page.locator(`#events tr[data-type="product.created"][data-product="${shown.id}"]`).waitFor({ timeout });
  const hidden = await create("Draft for nobody", "draft");
  await call("PATCH", `/products/${shown.id}`, { price: 17.5 }, token);
  await page.locator(`#events tr[data-type="product.updated"][data-product="${shown.id}"]`).waitFor({ timeout });
  if ((await page.locator(`#events tr[data-product="${hidden.id}"]`).count()) > 0) faults.push("a stranger hears of a draft");
  await page.locator("#stop").click();

  await page.locator("#sign-in input[name=email]").fill(email);
  await page.locator("#sign-in input[name=password]").fill(password);
  await page.locator("#sign-in button").click();
  await is("person", `Signed in as ${email}`);
  // From before the draft on: what was missed comes first.
  const number = await page.locator(`#events tr[data-type="product.created"] td`).first().innerText();
  await page.locator("#listen input[name=after]").fill(number);
  await listen();
  await page.locator(`#events tr[data-product="${hidden.id}"]`).waitFor({ timeout });
  const row = page.locator(`#events tr[data-type="product.updated"][data-product="${shown.id}"]`).first();
  if (!(await row.innerText()).includes("17.5")) faults.push(`a row shows no price: ${await row.innerText()}`);
  done.push(`${await events.count()} events`);

  if (pushed.servers.ws) {
    await page.locator("#enter button").first().click();
    await is("room-state", "in global with");
    await page.locator("#say input").fill("Hello from the page");
    await page.locator("#say button").click();
    await page.locator("#messages li").filter({ hasText: "Hello from the page" }).first().waitFor({ timeout });
    done.push("a message in a room");
  } else if (await page.locator("#rooms").isVisible()) {
    faults.push("rooms are shown that the server does not have");
  }
  await page.screenshot({ path: screenshot, fullPage: true });
});
conclude(faults, `/docs/realtime showed ${done.join(" and ")}; screenshot in ${screenshot}`);

// Brings a cube as a seller would, waits until it was examined, and turns it around at /models/{id}/view: something of it must be
// seen, and something else when it was turned. Fails on any error of the page. The last line printed is the id of the model.
//
// usage: node model.mjs <base URL> <chromium> <screenshot.png> <email> <password> <product>, of a seller
import { conclude, visited } from "./browser.mjs";

const [base, chromium, screenshot, email, password, product] = process.argv.slice(2);
const timeout = 20_000;

async function call(method, path, body, token, type = "application/json") {
  const headers = { "Content-Type": type };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(`${base}/api/v1${path}`, { method, headers, body });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/// A cube of 20 mm as STL of fixed records.
function cube() {
  const corner = (n) => [0, 1, 2].map((axis) => ((n >> axis) & 1) * 20);
  const sides = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
  const facets = sides.flatMap(([a, b, c, d]) => [[a, b, c], [a, c, d]]);
  const bytes = new DataView(new ArrayBuffer(84 + 50 * facets.length));
  bytes.setUint32(80, facets.length, true);
  facets.forEach((facet, at) =>
    facet.flatMap(corner).forEach((x, place) => bytes.setFloat32(84 + 50 * at + 12 + 4 * place, x, true)),
  );
  return bytes.buffer;
}

const { token } = await call("POST", "/auth/login", JSON.stringify({ email, password }));
const query = `productId=${product}&fileName=cube.stl&name=Cube`;
const model = await call("POST", `/models3d?${query}`, cube(), token, "application/octet-stream");
const until = Date.now() + timeout;
for (;;) {
  const version = await call("GET", `/models3d/${model.id}/versions/1`, undefined, token);
  if (version.state === "ready") break;
  if (version.state === "failed" || Date.now() > until) throw new Error(`it was not examined: ${JSON.stringify(version)}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
}

// WebGL without a graphics card.
const drawn = ["--enable-unsafe-swiftshader", "--use-angle=swiftshader"];
const faults = await visited(chromium, `${base}/models/${model.id}/view`, async (page, faults) => {
  await page.locator("body[data-shown='1']").waitFor({ timeout }).catch(async () => {
    faults.push(`nothing was shown: ${await page.locator("#state").innerText()}`);
  });
  if (faults.length > 0) return;
  const painted = () =>
    page.evaluate(() => {
      const canvas = document.getElementById("model");
      const gl = canvas.getContext("webgl2");
      const pixels = new Uint8Array(canvas.width * canvas.height * 4);
      gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      let [covered, sum] = [0, 0];
      for (let at = 0; at < pixels.length; at += 4) {
        if (pixels[at + 3] > 0) covered += 1;
        sum = (sum * 31 + pixels[at]) % 1_000_000_007;
      }
      return { share: covered / (pixels.length / 4), sum };
    });
  const before = await painted();
  if (before.share < 0.05 || before.share > 0.9) faults.push(`the model covers ${before.share} of the canvas`);
  await page.locator("#model").focus();
  for (let turn = 0; turn < 5; turn += 1) await page.keyboard.press("ArrowLeft");
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  if ((await painted()).sum === before.sum) faults.push("the model does not turn");
  const facts = await page.locator("#facts").innerText();
  if (!facts.includes("20 x 20 x 20 mm") || !facts.includes("8,000")) faults.push(`the facts are others: ${facts}`);
  await page.screenshot({ path: screenshot });
}, drawn);
conclude(faults, model.id);

// Receives webhooks of every type from a running server and verifies them with the official library, and with the code of the guide.
// Writes what came to a file, for the verifiers in other languages.
import { createPublicKey, verify as verifies } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";

const [base, out, email, password] = process.argv.slice(2);
const fail = (message) => {
  throw new Error(message);
};

const got = [];
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    got.push({ headers: request.headers, body: Buffer.concat(parts).toString("utf8") });
    response.writeHead(204).end();
  });
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${server.address().port}/hook`;

let token;
const call = async (path, body) => {
  const response = await fetch(`${base}/api/v1/${path}`, {
    method: body ? "POST" : "GET",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) fail(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
};
({ token } = await call("auth/login", { email, password }));
const types = (await call("webhooks/event-types")).items.map((item) => item.type);
const keyed = await call("webhooks/endpoints", { url, description: "keyed" });
const paired = await call("webhooks/endpoints", { url, algorithm: "ed25519" });
for (const endpoint of [keyed, paired])
  for (const eventType of types) await call(`webhooks/endpoints/${endpoint.id}/test`, { eventType });
for (let tick = 0; got.length < 2 * types.length; tick++) {
  if (tick > 600) fail(`${got.length} of ${2 * types.length} webhooks came`);
  await new Promise((done) => setTimeout(done, 50));
}
server.close();

// The code of the guide, as it stands there.
const guide = await readFile(new URL("../docs/webhooks.md", import.meta.url), "utf8");
const [, code] = guide.match(/```js\n([\s\S]*?)```/) ?? fail("the guide has no JavaScript");
const file = join(await mkdtemp(join(tmpdir(), "souk-guide.")), "verify.mjs");
await writeFile(file, code);
const { verify } = await import(file);

const official = new Webhook(keyed.secret);
const x = paired.secret.replace(/^whpk_/, "").replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
const seen = new Set();
const signed = [];
for (const { headers, body } of got) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = headers;
  if (signature.startsWith("v1a,")) {
    const holds = (text) => verifies(null, Buffer.from(text), key, Buffer.from(signature.slice(4), "base64"));
    if (!holds(`${id}.${timestamp}.${body}`)) fail(`the Ed25519 signature of ${id} does not hold`);
    if (holds(`${id}.${timestamp}.${body} `)) fail(`the Ed25519 signature of ${id} holds for anything`);
    continue;
  }
  seen.add(official.verify(body, headers).type);
  if (!verify(keyed.secret, { id, timestamp, signature }, body)) fail(`the guide refuses ${id}`);
  for (const changed of [{ body: `${body} ` }, { timestamp: String(Number(timestamp) - 1) }, { id: `${id}0` }]) {
    const one = { id, timestamp, body, ...changed };
    if (verify(keyed.secret, { ...one, signature }, one.body)) fail(`the guide takes ${JSON.stringify(changed)}`);
  }
  if (verify(keyed.secret, { id, timestamp, signature }, body, Number(timestamp) + 301)) fail("the guide takes what is old");
  signed.push({ id, timestamp, signature, body });
}
for (const type of types) if (!seen.has(type)) fail(`no webhook of the type ${type} was verified`);
await writeFile(out, JSON.stringify({ secret: keyed.secret, signed }));
console.log(`${got.length} webhooks of ${types.length} types verified by standardwebhooks, Ed25519 and the guide`);

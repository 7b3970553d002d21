// Adds a passkey and signs in by it in a real browser, with an authenticator that the browser plays; then what must be refused: an
// answer sent twice, one made on a foreign page, and one whose counter went back.
import { createServer } from "node:http";
import { conclude, visited } from "./browser.mjs";

const [base, chromium, email, password] = process.argv.slice(2);

async function call(path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${base}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: await answer.json() };
}

// What the page of a shop does with what it is given.
const create = (options) =>
  navigator.credentials
    .create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    .then((made) => made.toJSON());
const get = (options) =>
  navigator.credentials
    .get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
    .then((made) => made.toJSON());

const foreign = createServer((_, answer) => {
  answer.setHeader("Content-Security-Policy", "default-src 'none'; img-src data:");
  answer.setHeader("Content-Type", "text/html");
  answer.end("<!doctype html><link rel=icon href=data:,><title>Somebody else</title>");
});
await new Promise((listening) => foreign.listen(0, "127.0.0.1", listening));

const faults = await visited(chromium, `${base}/account/forgotten-password`, async (page, faults) => {
  const expect = (what, { status, json }, expected) => {
    if (status !== expected) faults.push(`${what}: ${status} instead of ${expected}: ${JSON.stringify(json)}`);
    return json;
  };
  const browser = await page.context().newCDPSession(page);
  await browser.send("WebAuthn.enable");
  const { authenticatorId } = await browser.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });

  const { token } = expect("signing in", await call("/auth/login", { email, password }), 200);
  const begun = expect("beginning a passkey", await call("/users/me/passkeys/options", {}, token), 200);
  const credential = await page.evaluate(create, begun.publicKey);
  const added = { ceremony: begun.ceremony, credential, name: "Browser" };
  expect("adding a passkey", await call("/users/me/passkeys", added, token), 201);
  expect("adding it again", await call("/users/me/passkeys", added, token), 422);

  const answer = async () => {
    const { ceremony, publicKey } = expect("beginning", await call("/auth/passkeys/options", {}), 200);
    return { ceremony, credential: await page.evaluate(get, publicKey) };
  };
  const first = await answer();
  const signed = expect("signing in by the passkey", await call("/auth/passkeys", first), 200);
  if (signed.user?.email !== email) faults.push("somebody else is signed in");
  expect("the same answer again", await call("/auth/passkeys", first), 401);

  // A copy of the authenticator, from before it was used.
  const { credentials } = await browser.send("WebAuthn.getCredentials", { authenticatorId });
  const [copy] = credentials;
  expect("once more", await call("/auth/passkeys", await answer()), 200);
  await browser.send("WebAuthn.clearCredentials", { authenticatorId });
  await browser.send("WebAuthn.addCredential", { authenticatorId, credential: { ...copy, signCount: 0 } });
  expect("a counter that went back", await call("/auth/passkeys", await answer()), 401);

  await browser.send("WebAuthn.clearCredentials", { authenticatorId });
  await browser.send("WebAuthn.addCredential", { authenticatorId, credential: { ...copy, signCount: 1000 } });
  await page.goto(`http://localhost:${foreign.address().port}/`);
  expect("a foreign page", await call("/auth/passkeys", await answer()), 401);
  await page.goto(`${base}/account/forgotten-password`);
  expect("the page of the shop", await call("/auth/passkeys", await answer()), 200);
});
foreign.close();
conclude(faults, "a passkey was added and signed in; what it did not prove was refused");

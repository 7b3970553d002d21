// Sends webhooks that the libraries of their senders signed: standardwebhooks, svix, stripe and octokit, as they come from npm.
// Fails when one is not taken, or when one is taken that was changed on the way. Prints the id of the last at the end.
//
// usage: node webhooks.mjs <base address> <secret of standard> <secret of stripe> <secret of github>
import { sign } from "@octokit/webhooks-methods";
import { Webhook as Standard } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as Svix } from "svix";

const [base, standardSecret, stripeSecret, githubSecret] = process.argv.slice(2);
const stripe = new Stripe("sk_test_nothing_is_called");
const now = new Date();
const seconds = Math.floor(now.getTime() / 1000);
const run = `${process.pid}-${now.getTime()}`;
// Bytes that JSON.stringify would not write again.
const payload = (name) => `{ "id" : "evt_${name}_${run}", "type":"contract.${name}", "price": 1.50, "word": "Gr\u00fc\u00dfe" }`;

const made = {
  standard: (name, body) => ({
    "webhook-id": `msg_${name}_${run}`,
    "webhook-timestamp": String(seconds),
    "webhook-signature": new Standard(standardSecret).sign(`msg_${name}_${run}`, now, body),
  }),
  svix: (name, body) => ({
    "svix-id": `msg_${name}_${run}`,
    "svix-timestamp": String(seconds),
    "svix-signature": new Svix(standardSecret).sign(`msg_${name}_${run}`, now, body),
  }),
  stripe: (_, body) => ({
    "stripe-signature": stripe.webhooks.generateTestHeaderString({ payload: body, secret: stripeSecret, timestamp: seconds }),
  }),
  github: async (name, body) => ({
    "x-hub-signature-256": await sign(githubSecret, body),
    "x-github-delivery": `${name}-${run}`,
    "x-github-event": "push",
  }),
};

async function send(source, headers, body) {
  const answer = await fetch(new URL(`/api/v1/hooks/${source}`, base), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: answer.status, json: await answer.json() };
}

let last;
for (const [name, headers] of Object.entries(made)) {
  const source = name === "svix" ? "standard" : name;
  const body = payload(name);
  const signed = await headers(name, body);
  const changed = await send(source, signed, JSON.stringify(JSON.parse(body)));
  if (changed.status !== 401) throw new Error(`${name}: what was written again was answered ${changed.status}`);
  const first = await send(source, signed, body);
  if (first.status !== 202) throw new Error(`${name}: ${first.status} ${JSON.stringify(first.json)}`);
  const again = await send(source, signed, body);
  if (again.status !== 200 || again.json.id !== first.json.id) throw new Error(`${name}: repeated it was answered ${again.status}`);
  last = first.json.id;
}
console.log(`npm: ${Object.keys(made).join(", ")} are believed once each, and nothing that was changed`);
console.log(last);

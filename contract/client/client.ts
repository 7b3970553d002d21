// A typed client, as a shop front has it: paths, parameters, bodies and answers are those of openapi.json, and this file
// would not compile with others. Uploads a picture as a form and a file as a stream, reads the file back as a stream without
// ever having the whole of it, and hears of a change while it does.
//
// usage: node made/client.js <base URL> <email> <password>, of a seller
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

import createClient from "openapi-fetch";

import type { components, paths } from "./made/souk.js";

type Client = ReturnType<typeof createClient<paths>>;
type Product = components["schemas"]["Product"];

const MEGABYTE = 1 << 20;
const MEGABYTES = 96;

const [base, email, password] = process.argv.slice(2);
if (base === undefined || email === undefined || password === undefined) throw new Error("usage: client URL EMAIL PASSWORD");

/** What is refused at the time of writing, not at that of running. Never called. */
export async function mistakes(client: Client): Promise<void> {
  // @ts-expect-error there is no such path
  await client.GET("/api/v1/produce");
  // @ts-expect-error a product needs a price, and has no colour
  await client.POST("/api/v1/products", { body: { name: "Lamp", colour: "red" } });
  // @ts-expect-error a limit is a number
  await client.GET("/api/v1/products", { params: { query: { limit: "many" } } });
  const { data } = await client.GET("/api/v1/products/{id}", { params: { path: { id: "x" } } });
  // @ts-expect-error an answer may be missing
  data.name.toUpperCase();
}

async function signedIn(): Promise<Client> {
  const { data, error } = await createClient<paths>({ baseUrl: base }).POST("/api/v1/auth/login", {
    body: { email: email!, password: password! },
  });
  assert.ok(data && "token" in data, `signing in: ${JSON.stringify(error ?? data)}`);
  return createClient<paths>({ baseUrl: base, headers: { Authorization: `Bearer ${data.token}` } });
}

async function created(client: Client): Promise<Product> {
  const { data, error } = await client.POST("/api/v1/products", {
    body: { name: "Typed lamp", price: 19.95, stock: 3, status: "published" },
  });
  assert.ok(data, JSON.stringify(error));
  return data;
}

/** The smallest PNG of one pixel. */
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==",
  "base64",
);

async function picture(client: Client, product: Product): Promise<void> {
  const { data, error } = await client.POST("/api/v1/products/{id}/images", {
    params: { path: { id: product.id } },
    body: { file: new Blob([PIXEL], { type: "image/png" }), alt: "A pixel" },
    bodySerializer: (body) => {
      const form = new FormData();
      if ("file" in body) form.set("file", body.file as Blob, "lamp.png");
      if ("alt" in body && body.alt) form.set("alt", body.alt);
      return form;
    },
  });
  assert.ok(data, JSON.stringify(error));
  const served = await fetch(new URL(data.url, base));
  assert.equal(served.status, 200);
  assert.match(served.headers.get("content-type") ?? "", /^image\//);
  assert.ok((await served.arrayBuffer()).byteLength > 0);
}

/** So many megabytes, made one by one as they are asked for. */
function bytes(hash: ReturnType<typeof createHash>): ReadableStream<Uint8Array> {
  let made = 0;
  return new ReadableStream({
    pull(controller) {
      if (made === MEGABYTES) return controller.close();
      const part = Buffer.alloc(MEGABYTE, made++);
      hash.update(part);
      controller.enqueue(part);
    },
  });
}

async function file(client: Client, product: Product): Promise<void> {
  const sent = createHash("sha256");
  const { data, error } = await client.POST("/api/v1/products/{id}/files", {
    params: { path: { id: product.id }, query: { name: "plan.bin", visibility: "public" } },
    headers: { "Content-Type": "application/octet-stream" },
    body: bytes(sent),
    bodySerializer: (body) => body,
    // What fetch asks for when a body is a stream.
    ...{ duplex: "half" },
  });
  assert.ok(data, JSON.stringify(error));
  assert.equal(data.size, MEGABYTE * MEGABYTES);

  const content = await client.GET("/api/v1/files/{id}/content", {
    params: { path: { id: data.id } },
    parseAs: "stream",
  });
  assert.ok(content.data, "the content of a file");
  const [read, most] = [createHash("sha256"), process.memoryUsage().rss + (MEGABYTES / 2) * MEGABYTE];
  for await (const part of content.data as unknown as ReadableStream<Uint8Array>) {
    read.update(part);
    assert.ok(process.memoryUsage().rss < most, "it is read piece by piece, never held as a whole");
  }
  assert.equal(read.digest("hex"), sent.digest("hex"), "what was sent comes back");

  const part = await client.GET("/api/v1/files/{id}/content", {
    params: { path: { id: data.id }, header: { Range: "bytes=1048570-1048580" } },
    parseAs: "arrayBuffer",
  });
  assert.equal(part.response.status, 206);
  assert.deepEqual([...new Uint8Array(part.data as ArrayBuffer)], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
}

async function heard(client: Client, product: Product): Promise<void> {
  const leave = new AbortController();
  const { data, response } = await client.GET("/api/v1/events", {
    params: { query: { topics: ["products"] } },
    parseAs: "stream",
    signal: leave.signal,
  });
  assert.equal(response.status, 200);
  assert.ok(data, "a stream");
  const changed = client.PATCH("/api/v1/products/{id}", { params: { path: { id: product.id } }, body: { stock: 7 } });
  const [reader, decoder] = [(data as unknown as ReadableStream<Uint8Array>).getReader(), new TextDecoder()];
  let text = "";
  while (!text.includes(product.id)) {
    const { value, done } = await reader.read();
    assert.ok(!done, `the stream ended: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  leave.abort();
  assert.ok((await changed).data?.stock === 7);
}

async function refused(client: Client): Promise<void> {
  const { data, error, response } = await client.POST("/api/v1/products", { body: { name: "", price: 1, stock: 0 } });
  assert.equal(data, undefined);
  assert.equal(response.status, 400);
  // The problem is typed too.
  assert.equal(error?.error.code, "VALIDATION_ERROR");
}

const client = await signedIn();
const product = await created(client);
await picture(client, product);
await file(client, product);
await heard(client, product);
await refused(client);
console.log(`A typed client: a picture, a file of ${MEGABYTES} MiB both ways as a stream, a part of it, an event, a problem`);
// Connections that are kept for later hold nobody up.
process.exit(0);

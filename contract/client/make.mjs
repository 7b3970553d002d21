// Makes the types of a client of an OpenAPI document. Bytes are what a browser and Node.js send as such.
//
// usage: node make.mjs <openapi.json> <out.d.ts>
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import openapi, { astToString } from "openapi-typescript";
import ts from "typescript";

const [document, out] = process.argv.slice(2);
const named = (name) => ts.factory.createTypeReferenceNode(name);
const bytes = ts.factory.createUnionTypeNode([named("Blob"), named("ReadableStream")]);
const made = await openapi(pathToFileURL(document), {
  transform: (schema) => (schema.format === "binary" ? bytes : undefined),
});
writeFileSync(out, astToString(made));

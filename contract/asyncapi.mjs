// Reads an AsyncAPI document as its users do, with the parser of the AsyncAPI initiative. Fails on errors and warnings of
// the parser, and when what comes on standard input is another document.
//
// usage: node asyncapi.mjs <file> < <what a server serves>
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Parser } from "@asyncapi/parser";

const WARNING = 1;
const text = readFileSync(process.argv[2], "utf8");
if (!isDeepStrictEqual(JSON.parse(readFileSync(0, "utf8")), JSON.parse(text))) {
  console.error("the server serves another document");
  process.exit(1);
}
const { document, diagnostics } = await new Parser().parse(text);
const faults = diagnostics.filter((one) => one.severity <= WARNING);
for (const fault of faults) console.error(`${fault.code} ${fault.path.join(".")}: ${fault.message}`);
if (!document || faults.length > 0) process.exit(1);
const messages = document.allMessages().all();
console.log(`AsyncAPI ${document.version()}: ${document.allOperations().all().length} operations, ${messages.length} messages`);

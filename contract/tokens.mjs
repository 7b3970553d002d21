// Reads an access token as another service would that has nothing of Souk but its address: with jose, by the published keys.
// Fails when the token is refused, or when one is taken that should not be.
//
// usage: TOKEN=.. node tokens.mjs <base address>
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, SignJWT } from "jose";

const base = process.argv[2];
const token = process.env.TOKEN;
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", base));
const expected = { algorithms: ["EdDSA"], audience: "souk", issuer: decodeJwt(token).iss };

const { payload, protectedHeader } = await jwtVerify(token, keys, expected);
for (const claim of ["sub", "sid", "jti", "iat", "exp", "roles"]) {
  if (payload[claim] === undefined) throw new Error(`the token says no ${claim}`);
}

const published = await (await fetch(new URL("/.well-known/jwks.json", base))).json();
const [head, said, signature] = token.split(".");
const other = Buffer.from(JSON.stringify({ ...payload, sub: "00000000-0000-4000-8000-000000000000" })).toString("base64url");
const none = Buffer.from(JSON.stringify({ alg: "none", kid: protectedHeader.kid })).toString("base64url");
const byPublicKey = await new SignJWT(payload)
  .setProtectedHeader({ alg: "HS256", kid: protectedHeader.kid })
  .sign(Buffer.from(published.keys[0].x, "base64url"));
const refused = {
  "claims that were not signed": [[head, other, signature].join("."), expected],
  "no algorithm": [`${none}.${said}.`, expected],
  "our public key as a shared secret": [byPublicKey, expected],
  "another audience": [token, { ...expected, audience: "somebody else" }],
};
for (const [what, [tried, options]] of Object.entries(refused)) {
  const fault = await jwtVerify(tried, keys, options).then(() => undefined, (error) => error);
  if (!(fault instanceof errors.JOSEError)) throw new Error(`jose did not refuse ${what}: ${fault}`);
  const answer = await fetch(new URL("/api/v1/users/me", base), { headers: { Authorization: `Bearer ${tried}` } });
  if (options === expected && answer.status !== 401) throw new Error(`Souk answered ${answer.status} to ${what}`);
}
if (published.keys.some((key) => "d" in key)) throw new Error("a private key is published");
console.log(`jose: token of ${payload.sub} verified by key ${protectedHeader.kid}; ${Object.keys(refused).length} others refused`);

// An issuer for the end-to-end tests. Prints its address; each line it reads is JSON: the claims that identity tokens and access
// tokens have from then on beside what they have anyway, or {"rotate": true} for a new key in the place of the old ones.
import { createInterface } from 'node:readline';
import { OAuth2Server } from 'oauth2-mock-server';

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
await server.start(0, '127.0.0.1');
server.issuer.url = `http://127.0.0.1:${server.address().port}`;

let said = { identity: {}, access: {} };
server.service.on('beforeTokenSigning', (token, request) => {
  const kind = request.body.grant_type === 'client_credentials' ? 'access' : 'identity';
  Object.assign(token.payload, said[kind]);
});

console.log(server.issuer.url);
for await (const line of createInterface({ input: process.stdin })) {
  said = { ...said, ...JSON.parse(line) };
  console.log('ok');
}
await server.stop();
